"""Addresses of health and metrics."""

from django.urls import path

from base_ops.core import health, metrics

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]
