"""Registers the core app."""

from pathlib import Path

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "base_ops.core"
    label = "core"

    def ready(self) -> None:
        """Say who may follow an inbox, what core itself tells, and how statements are planned."""
        from django.db.backends.signals import connection_created

        from base_ops.core import live, notifications, statements
        from base_ops.core.notifications import inbox, meters

        live.register(inbox.TOPIC, inbox.may_follow)
        meters.register()
        connection_created.connect(statements.plan_once)
        notifications.register(Path(notifications.__file__).with_name("texts.toml"))
