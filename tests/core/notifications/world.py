"""Notices as the services leave them."""

import itertools
from datetime import datetime
from typing import Any

from base_ops.core import notifications
from base_ops.core.models import Tenant
from base_ops.core.notifications import audiences, fanning

_facts = itertools.count(1)


def tell(audience: audiences.Audience, *, now: datetime, **changes: Any) -> None:
    """Tell something that is not urgent, and goes by e-mail, unless `kind` says otherwise."""
    params = {"space": {"zh": "直播间", "en": "Studio"}, "starts_at": now}
    wish: dict[str, Any] = {
        "kind": "waitlist.offer_expired",
        "params": params,
        "dedup": f"fact-{next(_facts)}",
    }
    notifications.tell(audience=audience, now=now, **wish | changes)


def told(audience: audiences.Audience, *, now: datetime, **changes: Any) -> None:
    """Tell and fan out."""
    tell(audience, now=now, **changes)
    fanning.fan_out(now)


def people(tenant: Tenant) -> audiences.TenantPeople:
    return audiences.TenantPeople(tenant.pk)
