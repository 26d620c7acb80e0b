"""Registers the core app."""

from pathlib import Path

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "base_ops.core"
    label = "core"

    def ready(self) -> None:
        """Say who may follow an inbox, and what core itself tells."""
        from base_ops.core import live, notifications
        from base_ops.core.notifications import inbox, meters

        live.register(inbox.TOPIC, inbox.may_follow)
        meters.register()
        notifications.register(Path(notifications.__file__).with_name("texts.toml"))
