"""Registers the billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        """Say who may watch invoice runs."""
        from base_ops.core import live
        from base_ops.core.models import Role

        live.register("runs.", lambda user, _: user.role in {Role.FINANCE, Role.ADMIN})
