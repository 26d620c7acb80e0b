"""Telling people and machines: a row first, delivered by the jobs process.

    notifications.tell(
        kind="booking.confirmed",
        audience=notifications.TenantPeople(tenant.pk),
        params={...},
        dedup=f"booking.confirmed:{booking.code}",
        now=now,
    )

An app registers its templates, a data file, when it is ready: `notifications.register(path)`.
"""

from base_ops.core.notifications.audiences import OneUser, TenantPeople, roles
from base_ops.core.notifications.telling import tell
from base_ops.core.notifications.templates import register

__all__ = ["OneUser", "TenantPeople", "register", "roles", "tell"]
