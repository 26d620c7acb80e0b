"""What a calendar feed shows: bookings as events, and of others only that a space is busy."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from psycopg.types.range import TimestamptzRange

from base_ops.core.models import AuditEntry, Site, Space
from base_ops.core.spans import Span
from booking.domain import busy, states
from booking.domain.ics import Event, Head, Mark
from booking.domain.rules import ZONE
from booking.models import Allocation, Booking, BookingPart, CalendarFeed
from booking.selectors.bookings import bookings_for
from booking.selectors.taking import active, units_of

PAST, FUTURE = timedelta(days=90), timedelta(days=400)
CANCELLED_FOR = timedelta(days=14)
COLOR = "teal"

_SURE = {states.Status.CONFIRMED, states.Status.CHECKED_IN, states.Status.COMPLETED}
_UNSURE = {states.Status.HELD, states.Status.PENDING_APPROVAL}
_STATUS_ZH = {
    Mark.TENTATIVE: "待确认 Tentative",
    Mark.CONFIRMED: "已确认 Confirmed",
    Mark.CANCELLED: "已取消 Cancelled",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the feed is read from: the address of the web app, and the feed's own."""

    site: str
    feed: str


def feeds_for(user: Any) -> QuerySet[CalendarFeed]:
    """The feeds a user may list and revoke: their own; of their tenant if they head it; or all."""
    rows = CalendarFeed.objects.select_related("tenant", "space", "created_by")
    if user.role in ("manager", "admin"):
        return rows
    if user.role == "tenant_admin":
        return rows.filter(Q(viewer_id=user.tenant_id) | Q(created_by=user))
    return rows.filter(created_by=user)


def window(now: datetime) -> Span:
    """90 days back to 400 ahead, from local midnight: it moves once a day, not at each reading."""
    today = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - PAST, today + FUTURE)


def head(feed: CalendarFeed, events: Iterable[Event], *, origin: Origin) -> Head:
    """What the feed says of itself."""
    changes = (event.changed_at for event in events)
    return Head(
        uid=f"feed-{feed.digest[:32]}@{_domain()}",
        name=feed.name,
        description=_about(feed),
        color=COLOR,
        source=origin.feed,
        url=f"{origin.site}/bookings",
        changed_at=max(changes, default=feed.created_at),
    )


def _about(feed: CalendarFeed) -> str:
    if feed.space is not None:
        return f"空间 {feed.space.name_zh} · Space {feed.space.name_en} ({feed.space.code})"
    if feed.tenant is not None:
        return f"租户 {feed.tenant.short_zh} 的预订 · Bookings of {feed.tenant.name_en}"
    return f"{feed.created_by.name} 的预订 · Bookings made by {feed.created_by.name}"


def events(feed: CalendarFeed, *, origin: Origin, now: datetime) -> list[Event]:
    """Everything in the window, by start."""
    domain, span = _domain(), window(now)
    rows = _bookings(feed, span, now=now)
    found = [e for row in rows if (e := _event(row, feed, domain, origin, now=now)) is not None]
    if feed.space is not None:
        found += _others(feed, feed.space, span, domain, now=now)
    return sorted(found, key=lambda e: (e.span.start, e.uid))


def _bookings(feed: CalendarFeed, span: Span, *, now: datetime) -> QuerySet[Booking]:
    """The bookings that the feed names, with when each last changed."""
    records = AuditEntry.objects.filter(object_type="booking", object_code=OuterRef("code"))
    changed = Subquery(records.order_by("-at").values("at")[:1])
    rows = bookings_for(feed.viewer_id).filter(ends_at__gt=span.start, starts_at__lt=span.end)
    rows = rows.select_related("space__floor__site").annotate(
        changed_at=Coalesce(changed, "created_at")
    )
    if feed.scope == "tenant":
        return rows.filter(tenant=feed.tenant)
    if feed.scope == "space":
        beside = BookingPart.objects.filter(booking=OuterRef("pk"), space=feed.space)
        return rows.filter(Q(space=feed.space) | Exists(beside))
    made = records.filter(action__in=("booking.book", "booking.draft"), actor_kind="user")
    maker = Subquery(made.order_by("at").values("actor_id")[:1], output_field=CharField())
    return rows.annotate(made_by=Coalesce(maker, Value(""))).filter(
        made_by=str(feed.created_by_id)
    )


def _event(
    row: Any, feed: CalendarFeed, domain: str, origin: Origin, *, now: datetime
) -> Event | None:
    """A booking as an event; None when it was given up long ago, or is a draft."""
    mark, changed_at = _mark(row, now=now), row.changed_at
    if mark is None:
        return None
    if row.status == states.Status.HELD and mark is Mark.CANCELLED:
        changed_at = row.expires_at  # it ran out, whether or not anybody tidied up
    if mark is Mark.CANCELLED and changed_at <= now - CANCELLED_FOR:
        return None
    return Event(
        uid=f"{row.code}@{domain}",
        span=Span(row.starts_at, row.until),
        summary=_summary(row, feed),
        mark=mark,
        changed_at=changed_at,
        sequence=row.version,
        created_at=row.created_at,
        description=_description(row, mark),
        location=_location(row.space),
        categories=(row.space.type.name_zh, row.purpose),
        url=f"{origin.site}/bookings/{row.code}",
    )


def _mark(row: Booking, *, now: datetime) -> Mark | None:
    """How sure a booking is; a hold whose time is over is not, swept or not."""
    if row.status in _SURE:
        return Mark.CONFIRMED
    if row.status in _UNSURE:
        over = row.status == states.Status.HELD and row.expires_at is not None
        return Mark.CANCELLED if over and row.expires_at <= now else Mark.TENTATIVE  # type: ignore[operator]
    return Mark.CANCELLED if row.status in states.FINAL else None


def _summary(row: Booking, feed: CalendarFeed) -> str:
    what = row.title or row.space.name_zh
    return what if feed.viewer_id is not None else f"{what} · {row.tenant.short_zh}"


def _description(row: Booking, mark: Mark) -> str:
    return (
        f"预订 Booking {row.code}\n状态 Status: {_STATUS_ZH[mark]} ({row.status})\n"
        f"空间 Space: {row.space.code} {row.space.name_zh} {row.space.name_en}\n"
        f"人数 People: {row.headcount}"
    )


def _location(space: Space) -> str:
    return f"{space.name_zh} ({space.code}), {space.floor.name_zh}, {space.floor.site.name_zh}"


def _others(
    feed: CalendarFeed, space: Space, span: Span, domain: str, *, now: datetime
) -> Iterator[Event]:
    """What else takes the space: for the base why, for a tenant only that it is full."""
    rows = active(now).filter(
        space=space, block__overlap=TimestamptzRange(span.start, span.end, "[)")
    )
    if feed.viewer_id is None:
        yield from (_closed(row, space, domain) for row in rows.exclude(kind="booking"))
        return
    strangers = rows.exclude(booking__tenant_id=feed.viewer_id, kind="booking")
    taken: dict[int, list[Span]] = defaultdict(list)
    for row in strangers:
        taken[row.unit].append(row.span)
    for full in busy.full(taken, units_of(space)):
        yield _busy(feed, full, domain)


def _closed(row: Allocation, space: Space, domain: str) -> Event:
    """A blackout or a lease, as the base sees it."""
    name = "长租 Lease" if row.kind == "lease" else "停用 Closed"
    return Event(
        uid=f"taken-{row.pk}@{domain}",
        span=row.span,
        summary=f"{name} {row.note}".strip(),
        mark=Mark.CONFIRMED,
        changed_at=row.span.start,
        location=_location(space),
    )


def _busy(feed: CalendarFeed, span: Span, domain: str) -> Event:
    """Nothing but the time: name and stamps follow from it and from the feed."""
    told = f"{feed.digest} {span.start.isoformat()} {span.end.isoformat()}"
    return Event(
        uid=f"busy-{hashlib.sha256(told.encode()).hexdigest()[:32]}@{domain}",
        span=span,
        summary="占用 Busy",
        mark=Mark.CONFIRMED,
        changed_at=span.start,
        color="gray",
    )


def _domain() -> str:
    """The right half of UIDs: the base's code, never an address, which may change."""
    code = Site.objects.values_list("code", flat=True).first() or "base"
    return f"{code.lower()}.base-ops"
