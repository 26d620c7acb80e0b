"""Change instances of a series: this one, this and the following ones, or all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from base_ops.core import db, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Space
from base_ops.core.spans import Span
from billing import services as billing
from booking import selectors
from booking.models import Allocation, Booking, BookingPart, Series
from booking.services import locking, telling, waiting, wishes
from booking.services.changing import spaces_of
from booking.services.series.changing import (
    Check,
    Scope,
    chosen,
    continued_from,
    locked,
    recurrence_of,
    shift,
)
from booking.services.series.looking import Asked, Seen, claim, look
from booking.services.series.making import BATCH, occupy, record, show
from booking.services.series.refusing import InstanceNotFound, refuse
from booking.services.wishes import BookingWish


class NothingToChange(errors.Invalid):
    """The request changes nothing."""

    code, title_zh, title_en = (
        "nothing_to_change",
        "没有要修改的内容",
        "There is nothing to change",
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes different; `span` is the named instance's new one, the others move along."""

    title: str | None = None
    purpose: str | None = None
    headcount: int | None = None
    span: Span | None = None
    space: Space | None = None

    @property
    def words(self) -> dict[str, Any]:
        """Title, purpose and headcount, as far as they change."""
        found = {"title": self.title, "purpose": self.purpose, "headcount": self.headcount}
        return {name: value for name, value in found.items() if value is not None}


def edit(
    *,
    series: Series,
    recurrence_id: datetime,
    scope: Scope,
    change: Edit,
    actor: Actor,
    check: Check = lambda row: None,
    now: datetime,
) -> Series:
    """Change the instances of a scope in one transaction: all of them, or none.

    "this" leaves an exception; "following" cuts the series in two, as RFC 5545 does; "all" does
    the same from the first instance that can still change, and so is in place when all can.
    Every changed instance is priced anew.

    Returns:
        The series that has the named instance afterwards.

    Raises:
        InstanceNotFound, TooLate: nothing to change on this date.
        SeriesConflicts, SeriesRulesBroken: names every instance that cannot be so.
        NothingToChange: the edit is empty.
    """
    if not change.words and change.span is None and change.space is None:
        raise NothingToChange
    work = partial(_edit, series, recurrence_id, scope, change, actor=actor, check=check, now=now)
    return db.in_transaction(work)


def _edit(
    series: Series,
    recurrence_id: datetime,
    scope: Scope,
    change: Edit,
    *,
    actor: Actor,
    check: Check,
    now: datetime,
) -> Series:
    spaces = [change.space.pk] if change.space else []
    row, live = locked(series, also_spaces=spaces, check=check)
    rows = chosen(live, scope, recurrence_id, now=now)
    pivot = next((b for b in live if b.recurrence_id == recurrence_id), None)
    if pivot is None:
        raise InstanceNotFound(recurrence_id.isoformat())
    old = [(b.space, b.starts_at) for b in rows]
    freed = [(spaces_of(b), b.span) for b in rows] if change.span or change.space else []
    waiting.lock_line(freed, tenants=[row.tenant_id], now=now)
    by = change.span.start - recurrence_id if change.span else timedelta()
    target = row
    if scope != "this":
        target = continued_from(row, recurrence_of(rows[0]), now=now, by=actor.label)
    if change.span or change.space or change.words.keys() & {"purpose", "headcount"}:
        _apply(
            rows, _wishes(rows, change, by), role=actor.role,
            moves=bool(change.span or change.space), now=now,
        )  # fmt: skip
    for booking in rows:
        if change.title is not None:
            booking.title = change.title
        booking.version += 1
    Booking.objects.bulk_update(rows, _COLUMNS, batch_size=BATCH)
    if scope != "this":
        _retell(target, change, by)
    target.version += 1
    target.save()
    record(
        target, "edit", actor=actor, now=now, scope=scope, changed=[b.code for b in rows],
        split_from=row.code if target.pk != row.pk else None, **change.words,
        start=change.span.start.isoformat() if change.span else None,
        space=change.space.code if change.space else None,
    )  # fmt: skip
    _tell(target, rows, old, now=now)
    waiting.offer_all_freed(freed, now=now)
    show(rows, also_spaces={s.pk for s, _ in old} if change.space else (), now=now)
    return target


def _tell(
    series: Series,
    rows: Sequence[Booking],
    old: Sequence[tuple[Space, datetime]],
    *,
    now: datetime,
) -> None:
    """One notice: of the one booking if it moved, of the series if several changed."""
    if len(rows) > 1:
        telling.series_changed(series, changed=len(rows), first_at=rows[0].starts_at, now=now)
    elif (rows[0].space, rows[0].starts_at) != old[0]:
        telling.moved(rows[0], old_space=old[0][0], old_starts_at=old[0][1], now=now)


_COLUMNS = [
    "title", "purpose", "headcount", "space", "starts_at", "ends_at", "quote", "price_fen",
    "setup_min", "teardown_min", "buffers_shared", "version",
]  # fmt: skip


def _retell(series: Series, change: Edit, by: timedelta) -> None:
    """The series itself says the change too: its rule, its length, what further dates are like."""
    for name, value in change.words.items():
        setattr(series, name, value)
    if change.space is not None:
        series.space = change.space
    if change.span is not None:
        series.length = change.span.length
        shift(series, by)


def _wishes(rows: Sequence[Booking], change: Edit, by: timedelta) -> list[BookingWish]:
    """What each booking becomes. New times count from the original starts, exceptions included."""
    found = []
    for booking in rows:
        changes: dict[str, Any] = dict(change.words)
        if change.space is not None:
            changes["space"] = change.space
        if change.span is not None:
            start = recurrence_of(booking) + by
            changes["span"] = Span(start, start + change.span.length)
        found.append(wishes.of_booking(booking, **changes))
    return found


def _apply(
    rows: Sequence[Booking],
    wanted: Sequence[BookingWish],
    *,
    role: str,
    moves: bool,
    now: datetime,
) -> None:
    """Judge, take the new places instead of the old ones, price anew; rows stay unsaved."""
    asked = [Asked(recurrence_of(b), w, was=b.span) for b, w in zip(rows, wanted, strict=True)]
    seen = look(asked, role=role, ignore={b.pk: b.code for b in rows}, priced=False, now=now)
    refuse(seen, now=now)
    if moves:
        Allocation.objects.filter(booking__in=rows, active=True).update(active=False)
        _move_parts(rows, seen)
        occupy(rows, seen, now=now)
    quotes = billing.replace_many(
        [
            claim(wish, locking.source_of(booking), now)
            for booking, wish in zip(rows, wanted, strict=True)
        ],
        now=now,
    )
    for booking, wish, quote in zip(rows, wanted, quotes, strict=True):
        if moves:
            booking.starts_at, booking.ends_at = wish.span.start, wish.span.end
            for name, minutes in selectors.buffers(wish.space).as_minutes().items():
                setattr(booking, name, minutes)
            booking.space = wish.space
        booking.purpose, booking.headcount = wish.purpose, wish.headcount
        booking.quote, booking.price_fen = quote.as_json(), quote.total_fen


def _move_parts(rows: Sequence[Booking], seen: Sequence[Seen]) -> None:
    moved: list[BookingPart] = []
    for booking, one in zip(rows, seen, strict=True):
        for part, need in zip(booking.parts.all(), one.needs[1:], strict=True):
            part.starts_at, part.ends_at = need.span.start, need.span.end
            moved.append(part)
    BookingPart.objects.bulk_update(moved, ["starts_at", "ends_at"], batch_size=BATCH)
