"""The vault of stream targets: written by the holder of a room, read by the gateway alone.

What lies here is sealed (AES-256-GCM, a key derived from SECRET_KEY) and bound to its booking.
MQTT, logs, audit and answers carry the name `booking:<code>` only. It is opened only while the
right holds, and deleted when the right is taken back or over.
"""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from base_ops.core import audit
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.models import Space
from base_ops.core.notifications import sealing
from devices.domain import entitlement
from devices.domain.entitlement import NotEntitled
from devices.models import Grant, StreamTarget

logger = logging.getLogger(__name__)
PREFIX = "booking:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A target while its right holds; the secret is not shown when this is printed."""

    url: str = field(repr=False)
    key: str = field(repr=False)
    until: datetime


def keep(*, space: Space, url: str, key: str, actor: Actor, now: datetime) -> StreamTarget:
    """Put the target of the actor's own booking in this space into the vault, or replace it.

    Raises:
        NotEntitled: the actor holds no right to the space; staff never does.
    """
    with transaction.atomic():
        grant = _grant(space, actor, now)
        sealed = sealing.seal(json.dumps({"url": url, "key": key}), place=_place(grant))
        row, _ = StreamTarget.objects.update_or_create(
            grant=grant, defaults={"sealed": sealed, "set_by": actor.label, "set_at": now}
        )
        _record(row, "stream_target.set", actor, now)
    return row


def take_out(*, space: Space, actor: Actor, now: datetime) -> bool:
    """The holder takes the own target back; whether there was one.

    Raises:
        NotEntitled: the actor holds no right to the space.
    """
    with transaction.atomic():
        return _wipe(Q(grant=_grant(space, actor, now)), actor, now) > 0


def opened(ref: str, *, now: datetime) -> Opened | None:
    """The target of that name, while the right that it serves holds; for the gateway."""
    if not ref.startswith(PREFIX):
        return None
    rows = StreamTarget.objects.select_related("grant").filter(
        grant__booking_code=ref.removeprefix(PREFIX),
        grant__revoked_at=None,
        grant__until__gt=now,
    )
    row = rows.first()
    if row is None:
        return None
    try:
        body = json.loads(sealing.opened(row.sealed, place=_place(row.grant)))
    except sealing.Unreadable:
        logger.warning("vault.unreadable", extra={"ref": ref})
        return None
    return Opened(body["url"], body["key"], row.grant.until)


def wipe_of(booking_code: str, *, now: datetime) -> None:
    """The right is taken back: its target goes with it, in the same transaction."""
    _wipe(Q(grant__booking_code=booking_code), SYSTEM, now)


def wipe_ended(now: datetime) -> int:
    """A job deletes what is left of rights that are over; returns how many."""
    over = Q(grant__until__lte=now) | Q(grant__revoked_at__isnull=False)
    with transaction.atomic():
        return _wipe(over, SYSTEM, now)


def _wipe(which: Q, actor: Actor, now: datetime) -> int:
    rows = StreamTarget.objects.select_for_update(of=("self",)).select_related("grant__space")
    found = list(rows.filter(which).order_by("pk"))
    for row in found:
        _record(row, "stream_target.wipe", actor, now)
        row.delete()
    return len(found)


def _grant(space: Space, actor: Actor, now: datetime) -> Grant:
    """The right of the actor's tenant, locked."""
    rows = Grant.objects.select_for_update(of=("self",)).filter(
        space=space, tenant_id=actor.tenant_id or 0, revoked_at=None, until__gt=now
    )
    held = {grant.pk: grant for grant in rows.select_related("space")}
    right = entitlement.right_of(actor, [grant.right for grant in held.values()], now)
    if right is None or actor.tenant_id is None:
        raise NotEntitled
    return held[right.id]


def _place(grant: Grant) -> str:
    return f"stream-target:{grant.booking_code}"


def _record(row: StreamTarget, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor, action=action, object_type="stream_target", object_code=row.ref,
        after={"space": row.grant.space.code, "until": row.grant.until.isoformat()}, now=now,
    )  # fmt: skip
