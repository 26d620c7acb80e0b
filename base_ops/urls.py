"""Addresses: the API, health and metrics, admin, and the web app for everything else."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from base_ops.api import api
from base_ops.core import doors

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("", include("base_ops.core.health_urls")),
    path("", include("booking.urls")),
    path("", include("billing.urls")),
    path("admin/login/", doors.admin_login),
    path("admin/", admin.site.urls),
    path("", include("base_ops.web.urls")),
]

handler404 = "base_ops.core.problems.page_not_found"
handler500 = "base_ops.core.problems.server_error"
