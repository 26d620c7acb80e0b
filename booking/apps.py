"""Registers the booking app."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"

    def ready(self) -> None:
        """Say who may see which topic, and listen to what the bridge notices."""
        from booking import watching

        watching.connect()
