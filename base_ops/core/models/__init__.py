"""The tables that everything stands on."""

from base_ops.core.models.live import LiveDelta, LiveTopic
from base_ops.core.models.notices import (
    Channel,
    Delivery,
    DeliveryStatus,
    Endpoint,
    InboxItem,
    Notice,
    NoticePreferences,
)
from base_ops.core.models.people import TENANT_ROLES, ApiToken, Role, Tenant, User
from base_ops.core.models.places import BookingMode, Floor, Site, Space, SpaceType
from base_ops.core.models.records import AuditEntry, IdempotencyKey, JobSlot
from base_ops.core.models.workdays import WorkYear

__all__ = [
    "TENANT_ROLES",
    "ApiToken",
    "AuditEntry",
    "BookingMode",
    "Channel",
    "Delivery",
    "DeliveryStatus",
    "Endpoint",
    "Floor",
    "IdempotencyKey",
    "InboxItem",
    "JobSlot",
    "LiveDelta",
    "LiveTopic",
    "Notice",
    "NoticePreferences",
    "Role",
    "Site",
    "Space",
    "SpaceType",
    "Tenant",
    "User",
    "WorkYear",
]
