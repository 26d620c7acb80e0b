"""Starts every process of one base, keeps it alive, and ends it: `manage.py up`."""
