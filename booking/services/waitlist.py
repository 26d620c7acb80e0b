"""The line itself: who waits for what, and what became of an offer."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from base_ops.core import audit
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.domain.states import Status
from booking.models import Booking, WaitlistEntry
from booking.services import telling

SOURCE = "waitlist"


def somebody_waits(space_ids: Collection[int], window: Span, *, now: datetime) -> bool:
    """Whether anybody waits for a time that touches the window in these spaces."""
    return _touching(space_ids, window, now=now).exists()


def tenants_in_line(space_ids: Collection[int], window: Span, *, now: datetime) -> set[int]:
    """The ids of all tenants who wait for a time that touches the window in these spaces."""
    return set(_touching(space_ids, window, now=now).values_list("tenant_id", flat=True))


def _touching(
    space_ids: Collection[int], window: Span, *, now: datetime
) -> QuerySet[WaitlistEntry]:
    types = Space.objects.filter(pk__in=space_ids).values("type_id")
    return WaitlistEntry.objects.filter(
        Q(space__in=space_ids) | Q(space_type__in=types),
        status="waiting", starts_at__gt=now,
        starts_at__lt=window.end, ends_at__gt=window.start,
    )  # fmt: skip


def waiting_for(space: Space, window: Span, *, now: datetime) -> QuerySet[WaitlistEntry]:
    """Who waits for a time in the window to come in this space, the first first."""
    return (
        WaitlistEntry.objects.filter(status="waiting", starts_at__gt=now)
        .filter(Q(space=space) | Q(space_type=space.type_id))
        .filter(starts_at__lt=window.end, ends_at__gt=window.start)
        .filter(headcount__lte=space.capacity, units__lte=space.unit_count or 1)
        .select_related("tenant")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")
    )


def settle(booking: Booking, *, now: datetime) -> None:
    """What became of an offer: accepted when it is confirmed, lapsed when it is over."""
    if booking.source != SOURCE:
        return
    entry = WaitlistEntry.objects.select_for_update().filter(offered=booking).first()
    if entry is None or entry.status != "offered":
        return
    if booking.status in (Status.CONFIRMED, Status.PENDING_APPROVAL):
        become(entry, "accepted", actor=SYSTEM, now=now)
    elif booking.status in (Status.EXPIRED, Status.CANCELLED, Status.REJECTED):
        become(entry, "lapsed", actor=SYSTEM, now=now)
        if booking.status == Status.EXPIRED:
            telling.waitlist_offer_expired(booking, now=now)


def become(
    entry: WaitlistEntry, status: str, *, actor: Actor, now: datetime, **more: object
) -> None:
    """Change a locked entry's status, on record."""
    before = entry.status
    entry.status = status
    entry.settled_at = None if status == "offered" else now
    entry.save(update_fields=["status", "settled_at", "offered"])
    record(entry, status, actor=actor, now=now, before=before, **more)


def record(
    entry: WaitlistEntry, deed: str, *, actor: Actor, now: datetime,
    before: str | None = None, **more: object,
) -> None:  # fmt: skip
    """Write the audit row of a deed on an entry."""
    audit.record(
        actor=actor,
        action=f"waitlist.{deed}",
        object_type="waitlist",
        object_code=entry.code,
        before={"status": before} if before else None,
        after={"status": entry.status, **more},
        now=now,
    )
