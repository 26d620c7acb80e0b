"""Registers the devices app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        """Keep the directory true, and say who may watch the rooms and the alarms."""
        from devices import audience, health
        from devices.models import Device

        post_save.connect(_forget, sender=Device, dispatch_uid="devices.directory.save")
        post_delete.connect(_forget, sender=Device, dispatch_uid="devices.directory.delete")
        audience.register()
        health.register()


def _forget(**_: Any) -> None:
    from devices import directory

    directory.forget()
