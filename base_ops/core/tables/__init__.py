"""Tables as people send and want them: CSV and XLSX files, hostile or not, read and written."""
