"""Reading and writing bookings as tables: CSV, XLSX and ICS files of people, hostile or not."""
