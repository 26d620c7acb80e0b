"""The web app for every address that nothing else claims."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
