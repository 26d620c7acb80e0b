"""Many bookings from a file: each through the same door as any other, all in one transaction.

The dry run really books, row after row, and then takes everything back: what it says of a row is
what the import will do, rows of the same file that stand in each other's way included.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from base_ops.core import audit, db, errors
from base_ops.core.actors import Actor
from base_ops.core.errors import FieldFault
from base_ops.core.models import Space, Tenant
from billing.domain.rating import ServiceWish
from booking.domain.rules import RulesBroken
from booking.domain.tables.wanted import Row, Wanted
from booking.models import Booking
from booking.services import BookingWish, SlotTaken, book, changing, locking

logger = logging.getLogger(__name__)
SOURCE = "import"


class ImportMode(StrEnum):
    """What becomes of a file with rows that cannot be booked: nothing at all, or the others."""

    ATOMIC = "atomic"
    SKIP = "skip"


class RowState(StrEnum):
    """What became of a row, or would."""

    OK = "ok"
    CONFLICT = "conflict"
    RULES_BROKEN = "rules_broken"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: what it asked for, what became of it, and why."""

    number: int
    state: RowState
    wanted: Wanted | None = None
    booking: Booking | None = None
    code: str = ""
    faults: Sequence[FieldFault] = ()
    conflicts: Sequence[Mapping[str, Any]] = ()
    broken: Sequence[Mapping[str, Any]] = ()


class ImportRefused(errors.Conflict):
    """Some rows cannot be booked, so none was; `rows` says what is the matter with each."""

    code, title_zh, title_en = (
        "import_refused",
        "有行无法预订,未导入任何内容",
        "Some rows cannot be booked, nothing was imported",
    )

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes
        bad = sum(o.state is not RowState.OK for o in outcomes)
        super().__init__(f"{bad} of {len(outcomes)} rows cannot be booked")


class UnknownSpaceInRow(errors.Invalid):
    """A row names a space that does not exist, or a name that several have."""

    code, title_zh, title_en = "unknown_space", "没有该空间", "No such space"


def try_import(
    *, rows: Sequence[Row], tenant: Tenant, actor: Actor, now: datetime
) -> list[Outcome]:
    """What an import would do with each row, its price included; nothing remains of it."""

    return db.in_transaction(partial(_try, rows, tenant, actor, now=now))


def _try(rows: Sequence[Row], tenant: Tenant, actor: Actor, *, now: datetime) -> list[Outcome]:
    with transaction.atomic(), changing.shown_together(now=now) as to_show:
        point = transaction.savepoint()
        outcomes = _booked(rows, tenant, actor, now=now)
        transaction.savepoint_rollback(point)
        to_show.clear()
    return outcomes


def import_bookings(
    *,
    rows: Sequence[Row],
    tenant: Tenant,
    actor: Actor,
    mode: ImportMode,
    file: str,
    now: datetime,
) -> list[Outcome]:
    """Book every row that can be booked; `file` is what the record calls the file.

    Raises:
        ImportRefused: in atomic mode, when any row cannot; nothing was booked.
    """
    return db.in_transaction(partial(_import, rows, tenant, actor, mode=mode, file=file, now=now))


def _import(
    rows: Sequence[Row],
    tenant: Tenant,
    actor: Actor,
    *,
    mode: ImportMode,
    file: str,
    now: datetime,
) -> list[Outcome]:
    with transaction.atomic(), changing.shown_together(now=now):
        outcomes = _booked(rows, tenant, actor, now=now)
        made = [o.booking.pk for o in outcomes if o.booking is not None]
        if mode is ImportMode.ATOMIC and len(made) < len(outcomes):
            raise ImportRefused(outcomes)
        Booking.objects.filter(pk__in=made).update(source=SOURCE)
        audit.record(
            actor=actor, action="booking_import.commit", object_type="booking_import",
            object_code=file[:64], now=now,
            after={
                "tenant": tenant.code, "mode": str(mode), "rows": len(rows), "booked": len(made)
            },
        )  # fmt: skip
    logger.info("booking.imported", extra={"rows": len(rows), "booked": len(made)})
    return outcomes


def _booked(rows: Sequence[Row], tenant: Tenant, actor: Actor, *, now: datetime) -> list[Outcome]:
    """Book row by row; all spaces are locked before, so that no rival's order matters."""
    spaces = _spaces(rows)
    locking.lock_spaces({space.pk for found in spaces.values() for space in found})
    outcomes: list[Outcome] = []
    made: dict[str, int] = {}
    for row in rows:
        outcome = _outcome(row, spaces, tenant, actor, now=now)
        if outcome.booking is not None:
            made[outcome.booking.code] = row.number
        outcomes.append(_told_by_row(outcome, made))
    return outcomes


def _spaces(rows: Sequence[Row]) -> Mapping[str, Sequence[Space]]:
    """The spaces that the rows name, by every name they go by; one query."""
    names = {row.wanted.space for row in rows if row.wanted is not None}
    known = Q(code__in=names | {n.upper() for n in names})
    rooms = Space.objects.select_related("type", "floor").filter(
        known | Q(name_zh__in=names) | Q(name_en__in=names)
    )
    found: dict[str, list[Space]] = {}
    for room in rooms:
        for name in {room.code, room.code.lower(), room.name_zh, room.name_en}:
            found.setdefault(name, []).append(room)
    return found


def _outcome(
    row: Row,
    spaces: Mapping[str, Sequence[Space]],
    tenant: Tenant,
    actor: Actor,
    *,
    now: datetime,
) -> Outcome:
    if row.wanted is None:
        return Outcome(row.number, RowState.UNREADABLE, faults=row.faults)
    tell = partial(Outcome, row.number, wanted=row.wanted)
    try:
        wish = _wish(row.wanted, spaces, tenant)
        with transaction.atomic():
            return tell(RowState.OK, booking=book(wish=wish, actor=actor, hold=False, now=now))
    except UnknownSpaceInRow as exc:
        return tell(RowState.UNREADABLE, code=exc.code, faults=exc.fields)
    except SlotTaken as exc:
        return tell(
            RowState.CONFLICT, code=exc.code, faults=[_said("", exc)], conflicts=exc.conflicts
        )
    except RulesBroken as exc:
        broken: Any = exc.context.get("broken", ())
        return tell(RowState.RULES_BROKEN, code=exc.code, faults=exc.fields, broken=broken)
    except errors.Unavailable:
        raise
    except errors.DomainError as exc:
        return tell(RowState.REFUSED, code=exc.code, faults=exc.fields or [_said("", exc)])


def _said(name: str, exc: errors.DomainError) -> FieldFault:
    return FieldFault(name, exc.title_zh, exc.title_en)


def _wish(wanted: Wanted, spaces: Mapping[str, Sequence[Space]], tenant: Tenant) -> BookingWish:
    """The wish with the rows it names.

    Raises:
        UnknownSpaceInRow: no space, or more than one, goes by the name.
    """
    found = spaces.get(wanted.space, ())
    exact = [space for space in found if space.code == wanted.space]
    rooms = exact or list(found)
    if len(rooms) != 1:
        zh, en = ("没有该空间", "no such space") if not rooms else (
            "多个空间同名,请写编号", "several spaces go by this name: give the code"
        )  # fmt: skip
        raise UnknownSpaceInRow(wanted.space, fields=[FieldFault("space", zh, en)])
    return BookingWish(
        space=rooms[0],
        tenant=tenant,
        span=wanted.span,
        purpose=wanted.purpose,
        headcount=wanted.headcount,
        title=wanted.title,
        services=tuple(ServiceWish(code=code.upper(), qty=qty) for code, qty in wanted.services),
        units=wanted.units,
    )


def _told_by_row(outcome: Outcome, made: Mapping[str, int]) -> Outcome:
    """The outcome with conflicts that name the row of this file instead of its new booking."""
    told = [
        {**c, "booking": None, "row": made[c["booking"]]} if c.get("booking") in made else c
        for c in outcome.conflicts
    ]
    return replace(outcome, conflicts=told)
