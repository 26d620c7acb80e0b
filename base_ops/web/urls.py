"""The web app for every address that nothing else claims; a missing file stays missing."""

from django.urls import URLPattern, re_path

from base_ops.web import views

urlpatterns: list[URLPattern] = [
    re_path(
        r"^(?!api/|ws/|static/|assets/|admin/)(?:[^.]*|index\.html)$", views.index, name="index"
    ),
]
