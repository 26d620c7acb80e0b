"""Registers the core app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "base_ops.core"
    label = "core"
