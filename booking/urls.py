"""Addresses of booking outside the API."""

from django.urls import URLPattern, re_path

from booking import feeds

urlpatterns: list[URLPattern] = [
    re_path(r"^calendars/([A-Za-z0-9_-]{1,100})\.ics$", feeds.serve, name="calendar-feed"),
]
