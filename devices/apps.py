"""Registers the devices app."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        """Keep the directory true, and say who may watch the rooms and the alarms."""
        from base_ops.core import notifications
        from devices import audience, health
        from devices.models import Device

        post_save.connect(_forget, sender=Device, dispatch_uid="devices.directory.save")
        post_delete.connect(_forget, sender=Device, dispatch_uid="devices.directory.delete")
        post_migrate.connect(_first_rules, sender=self)
        notifications.register(Path(__file__).with_name("notices.toml"))
        audience.register()
        health.register()


def _forget(**_: Any) -> None:
    from devices import directory

    directory.forget()


def _first_rules(**_: Any) -> None:
    """A database without alarm rules, new or emptied, begins with the standard ones."""
    from base_ops.core import clock
    from devices import services

    services.ensure_alarm_rules(now=clock.now())
