"""Bookings as tables and calendars of people: what each line asks for."""
