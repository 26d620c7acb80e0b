"""Registers the billing app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        """Say who may watch runs and audits, what billing tells; days that change are prices."""
        from pathlib import Path

        from base_ops.core import live, notifications
        from base_ops.core.models import Role, WorkYear

        post_save.connect(_days_changed, sender=WorkYear, dispatch_uid="billing.work_years")
        live.register("runs.", lambda user, _: user.role in {Role.FINANCE, Role.ADMIN})
        live.register("billing.audit", lambda user, _: user.role in {Role.FINANCE, Role.ADMIN})
        notifications.register(Path(__file__).with_name("notices.toml"))


def _days_changed(**_: Any) -> None:
    """Price lists have prices by kind of day: every process reads them again."""
    from billing.models import PriceBookVersion

    for version in PriceBookVersion.objects.select_for_update():
        version.advance()
        version.save(update_fields=["serial"])
