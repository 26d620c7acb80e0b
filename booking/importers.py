"""Loads the leases and bookings of a demo file: all of them, or nothing and every fault.

The file tells five weeks around one day. Its dates are shifted by whole days, and what became of
each booking is decided anew against `now`: what would have happened later has not happened yet.
"""

import itertools
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from psycopg.types.range import TimestamptzRange

from base_ops.core import money
from base_ops.core.faults import Faults
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.facts import BookingFacts, Outcome
from booking import selectors
from booking.domain.states import Status
from booking.models import Allocation, Booking, Lease
from booking.services import charging, preparing
from booking.services.locking import source_of

ZONE = ZoneInfo("Asia/Shanghai")
SOURCE = "demo"
_RELEASED_AFTER = timedelta(minutes=20)  # as the file's pricing rules say
_FREE_CANCEL = timedelta(hours=48)
_LATE_CANCEL = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class World:
    """What rows refer to, and how far dates move."""

    spaces: Mapping[str, Space]
    tenants: Mapping[str, Tenant]
    shift: timedelta
    now: datetime


def load(data: Mapping[str, Any], *, shift_days: int, now: datetime) -> dict[str, int]:
    """Create the leases and bookings that are not there yet; existing ones are left alone.

    Args:
        data: the content of a demo file with "leases" and "bookings".
        shift_days: added to every date.
        now: decides what is past, running and to come.

    Returns:
        How many of each were created.

    Raises:
        BrokenFile: with every fault found; nothing was imported.
    """
    world = World(
        {s.code: s for s in Space.objects.select_related("type", "floor")},
        {t.code: t for t in Tenant.objects.all()},
        timedelta(days=shift_days),
        now,
    )
    faults = Faults()
    leases = _rows(faults, data, "leases", world, _lease)
    bookings = _rows(faults, data, "bookings", world, _booking)
    _check_overlaps(faults, bookings)
    faults.raise_any()
    with transaction.atomic():
        return {"leases": _save_leases(leases), "bookings": _save_bookings(bookings, now)}


def _rows(faults: Faults, data: Any, name: str, world: World, build: Any) -> list[Any]:
    """The rows of one list; those that cannot be read, and double codes, are faults."""
    found: dict[str, Any] = {}
    for index, row in enumerate(faults.rows(data, name)):
        place = f"{name}[{row.get('code', index)}]"
        built = faults.read(place, partial(build, row, world))
        if built is not None and faults.check(built.code not in found, place, "appears twice"):
            found[built.code] = built
    return list(found.values())


def _known(rows: Mapping[str, Any], code: object, what: str) -> Any:
    if not isinstance(code, str) or code not in rows:
        raise ValueError(f"{what} {code!r} is unknown")
    return rows[code]


def _lease(row: Mapping[str, Any], world: World) -> Lease:
    space = _known(world.spaces, row["space"], "space")
    units = row.get("units")
    if units is not None and not 1 <= units <= (space.unit_count or 0):
        raise ValueError(f"units: {units} of {space.unit_count} in {space.code}")
    start, last = (date.fromisoformat(row[k]) + world.shift for k in ("start", "end"))
    if last < start:
        raise ValueError(f"ends on {last}, before it starts on {start}")
    return Lease(
        code=row["code"],
        tenant=_known(world.tenants, row["tenant"], "tenant"),
        space=space,
        units=units or space.unit_count,
        starts_on=start,
        ends_on=last + timedelta(days=1),
        monthly_rent_fen=money.fen(row["monthly_rent_cny"]),
        area_m2=row.get("area_m2"),
        deposit_months=row.get("deposit_months", 0),
        deposit_fen=row.get("deposit_months", 0) * money.fen(row["monthly_rent_cny"]),
        created_at=world.now,
        signed_at=world.now,
        free_months=row.get("free_months", 0),
        policy_code=row.get("policy") or "",
    )


def _instant(row: Mapping[str, Any], name: str, world: World) -> datetime | None:
    if row.get(name) is None:
        return None
    instant = datetime.fromisoformat(row[name])
    if instant.tzinfo is None:
        raise ValueError(f"{name}: {row[name]} has no offset")
    return instant + world.shift


def _booking(row: Mapping[str, Any], world: World) -> Booking:
    space: Space = _known(world.spaces, row["space"], "space")
    if not space.bookable or space.unit_count:
        raise ValueError(f"space {space.code} cannot be booked as a whole")
    start, end = _instant(row, "start", world), _instant(row, "end", world)
    if start is None or end is None or end <= start:
        raise ValueError("start and end: an end after the start is wanted")
    if not 1 <= row["headcount"] <= space.capacity:
        raise ValueError(f"headcount {row['headcount']}: {space.code} holds {space.capacity}")
    booking = Booking(
        code=row["code"],
        tenant=_known(world.tenants, row["tenant"], "tenant"),
        space=space,
        starts_at=start,
        ends_at=end,
        purpose=row["purpose"],
        headcount=row["headcount"],
        pin=f"{secrets.randbelow(10**6):06d}",
        created_at=min(start - timedelta(days=3), world.now),
        source=SOURCE,
        **selectors.buffers(space).as_minutes(),
    )
    _settle(booking, row, world)
    return booking


def _settle(booking: Booking, row: Mapping[str, Any], world: World) -> None:
    """Decide what has become of the booking by `now`."""
    status, now = row["status"], world.now
    come_in = _instant(row, "checked_in", world) or booking.starts_at
    if status in ("cancelled", "late_cancelled"):
        _cancel(booking, _FREE_CANCEL if status == "cancelled" else _LATE_CANCEL, now)
    elif status == "pending_approval":
        booking.status = Status.PENDING_APPROVAL
        if booking.starts_at <= now:
            _cancel(booking, timedelta(0), now)
            booking.confirmed_at = None  # nobody approved it in time
    elif status == "no_show" and booking.starts_at + _RELEASED_AFTER <= now:
        booking.status, booking.confirmed_at = Status.NO_SHOW, booking.created_at
    elif status in ("completed", "confirmed", "no_show"):
        booking.confirmed_at = booking.created_at
        _stay(booking, row, world, come_in)
    else:
        raise ValueError(f"status {status!r} is unknown")


def _cancel(booking: Booking, ahead: timedelta, now: datetime) -> None:
    booking.status = Status.CANCELLED
    booking.cancelled_at = min(booking.starts_at - ahead, now)
    booking.confirmed_at = booking.created_at = booking.cancelled_at - timedelta(hours=1)


def _stay(booking: Booking, row: Mapping[str, Any], world: World, come_in: datetime) -> None:
    """Over, running, or still to come."""
    over_at = _instant(row, "checked_out", world) or booking.ends_at
    if min(over_at, booking.ends_at) <= world.now:
        booking.status = Status.COMPLETED
        booking.checked_in_at, booking.ended_at = come_in, min(over_at, world.now)
        booking.live_minutes = (row.get("live") or {}).get("minutes")
        if row.get("energy_kwh") is not None:
            booking.energy_wh = round(row["energy_kwh"] * 1000)
    elif come_in <= world.now:
        booking.status, booking.checked_in_at = Status.CHECKED_IN, come_in
        booking.prepared_at = booking.starts_at - preparing.AHEAD
    else:
        booking.status = Status.CONFIRMED


_TAKES = (Status.PENDING_APPROVAL, Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED)


def _block(booking: Booking) -> Span:
    return selectors.buffers(booking.space).block(booking.span)


def _check_overlaps(faults: Faults, bookings: Iterable[Booking]) -> None:
    """No two bookings of one space may touch, buffers included."""
    by_space: dict[str, list[Booking]] = defaultdict(list)
    for booking in bookings:
        if booking.status in _TAKES:
            by_space[booking.space.code].append(booking)
    for code, rows in by_space.items():
        rows.sort(key=lambda b: b.starts_at)
        for one, two in itertools.pairwise(rows):
            faults.check(
                not _block(one).overlaps(_block(two)),
                f"bookings[{two.code}]",
                f"overlaps {one.code} in {code}",
            )


def _save_leases(leases: Sequence[Lease]) -> int:
    known = set(Lease.objects.values_list("code", flat=True))
    rows = Lease.objects.bulk_create(lease for lease in leases if lease.code not in known)
    taken: dict[int, int] = defaultdict(int)  # units given so far, by space
    others = Allocation.objects.filter(kind="lease").exclude(lease__in=rows)
    for space_id, unit in others.values_list("space_id", "unit"):
        taken[space_id or 0] = max(taken[space_id or 0], unit)
    Allocation.objects.bulk_create(
        _lease_allocation(lease, unit) for lease in rows for unit in _units(lease, taken)
    )
    return len(rows)


def _units(lease: Lease, taken: dict[int, int]) -> range:
    """The whole space, or the next units of it that no lease has."""
    if lease.units is None:
        return range(1)
    first = taken[lease.space_id] + 1
    taken[lease.space_id] += lease.units
    return range(first, first + lease.units)


def _lease_allocation(lease: Lease, unit: int) -> Allocation:
    days = (lease.starts_on, lease.ends_on)
    start, end = (datetime.combine(day, datetime.min.time(), ZONE) for day in days)
    return Allocation(
        space=lease.space,
        unit=unit,
        block=TimestamptzRange(start, end, "[)"),
        kind="lease",
        lease=lease,
    )


def _save_bookings(bookings: Sequence[Booking], now: datetime) -> int:
    known = set(Booking.objects.values_list("code", flat=True))
    fresh = [booking for booking in bookings if booking.code not in known]
    fresh.sort(key=lambda b: (b.starts_at, b.code))
    price(fresh)
    rows = Booking.objects.bulk_create(fresh, batch_size=500)
    Allocation.objects.bulk_create(
        (
            Allocation(
                space=row.space,
                block=TimestamptzRange(_block(row).start, _block(row).end, "[)"),
                kind="booking",
                booking=row,
                active=row.status in _TAKES,
            )
            for row in rows
        ),
        batch_size=500,
    )
    _bill(rows, now)
    return len(rows)


def price(bookings: Sequence[Booking]) -> None:
    """Quote unsaved bookings as of when they were made, and claim their discounts and hours."""
    quotes = billing.reserve_many(
        [
            billing.Claim(
                source=source_of(booking),
                tenant=booking.tenant,
                space=booking.space,
                span=booking.span,
                purpose=booking.purpose,
                kept=booking.status != Status.CANCELLED,
                at=booking.created_at,
            )
            for booking in bookings
        ]
    )
    for booking, quote in zip(bookings, quotes, strict=True):
        booking.quote, booking.price_fen = quote.as_json(), quote.total_fen


def _bill(rows: Iterable[Booking], now: datetime) -> None:
    """Charge what is over, as of when it was."""
    outcomes: dict[str, Outcome] = {
        Status.COMPLETED: "completed",
        Status.NO_SHOW: "no_show",
        Status.CANCELLED: "cancelled",
    }
    finished: list[tuple[BookingFacts, datetime]] = []
    for row in rows:
        outcome = outcomes.get(row.status)
        if outcome is not None and row.confirmed_at is not None:
            at = min(row.ended_at or row.cancelled_at or row.ends_at, now)
            finished.append((charging.facts(row, outcome, now=at), at))
    billing.charge_many(finished)
