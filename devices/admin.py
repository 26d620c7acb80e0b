"""Django's admin pages: a look at the registry and the outbox; changes go through services."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from devices.models import Alarm, Command, Device, DeviceModel, Grant, SceneRun

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class ReadOnly(_Base):
    """Rows that only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(Device)
class DeviceAdmin(ReadOnly):
    """The registry."""

    list_display = ("code", "kind", "role", "space", "status")
    list_filter = ("kind", "status")
    search_fields = ("code",)


@admin.register(Command)
class CommandAdmin(ReadOnly):
    """The outbox."""

    list_display = ("id", "device", "status", "code", "actor_label", "created_at")
    list_filter = ("status",)
    list_select_related = ("device",)


@admin.register(Alarm)
class AlarmAdmin(ReadOnly):
    """Alarms, open and cleared."""

    list_display = ("code", "severity", "device", "space", "raised_at", "cleared_at")
    list_filter = ("code", "severity")


admin.site.register([DeviceModel, Grant, SceneRun], ReadOnly)
