"""Registers the billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        """Say who may watch invoice runs and audits, and what billing tells."""
        from pathlib import Path

        from base_ops.core import live, notifications
        from base_ops.core.models import Role

        live.register("runs.", lambda user, _: user.role in {Role.FINANCE, Role.ADMIN})
        live.register("billing.audit", lambda user, _: user.role in {Role.FINANCE, Role.ADMIN})
        notifications.register(Path(__file__).with_name("notices.toml"))
