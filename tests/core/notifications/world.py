"""Notices as the services leave them."""

import itertools
from datetime import datetime
from typing import Any

from base_ops.core import notifications
from base_ops.core.models import Delivery, Endpoint, Tenant, User
from base_ops.core.notifications import audiences, courier, endpoints, fanning

ENDS_S = 20.0
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


def added(user: User, url: str, *, now: datetime, kind: str = "webhook", **more: Any) -> Endpoint:
    wish = {"kind": kind, "name": "n", "url": url, "language": "zh", "plain": False, "kinds": []}
    return endpoints.create(user=user, wish=wish | more, now=now)


def told_tenant(user: User, *, now: datetime, **changes: Any) -> None:
    assert user.tenant_id is not None
    told(audiences.TenantPeople(user.tenant_id), now=now, **changes)


def sent(now: datetime, *, by: courier.Courier | None = None) -> None:
    """One pass, and all that it began."""
    used = by or courier.Courier()
    used.run(now)
    assert used.finish(now, timeout_s=ENDS_S)


def only(endpoint: Endpoint) -> Delivery:
    return Delivery.objects.get(endpoint=endpoint)
