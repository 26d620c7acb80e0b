"""Registers the booking app."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BookingConfig(AppConfig):
    name = "booking"

    def ready(self) -> None:
        """Say who may see which topic, what booking tells, and listen to the bridge."""
        from base_ops.core import notifications
        from billing import lending
        from booking import proving, watching

        notifications.register(Path(__file__).with_name("notices.toml"))

        watching.connect()
        lending.register(_lent)
        proving.connect()
        post_migrate.connect(_first_rules, sender=self)


def _lent() -> list[str]:
    """The services by which equipment is lent."""
    from booking.models import EquipmentPool

    return list(EquipmentPool.objects.values_list("service_code", flat=True).distinct())


def _first_rules(**_: Any) -> None:
    """A database without rules, new or emptied, begins with the standard book."""
    from base_ops.core import clock
    from booking import services

    services.ensure_rules(now=clock.now())
