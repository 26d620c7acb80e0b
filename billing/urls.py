"""Addresses of billing outside the API."""

from django.urls import URLPattern, re_path

from billing import verifying

urlpatterns: list[URLPattern] = [
    re_path(r"^verify/([A-Za-z0-9.-]{1,80})$", verifying.page, name="verify"),
]
