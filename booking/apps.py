"""Registers the booking app."""

from pathlib import Path

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"

    def ready(self) -> None:
        """Say who may see which topic, what booking tells, and listen to the bridge."""
        from base_ops.core import notifications
        from booking import watching

        notifications.register(Path(__file__).with_name("notices.toml"))

        watching.connect()
