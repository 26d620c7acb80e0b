"""Deeds on blackouts: create, change, cancel. Each is one transaction, the space locked first."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from base_ops.core import audit, db, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space
from base_ops.core.spans import Span
from booking import occupancy
from booking.domain import blackouts
from booking.domain.blackouts import Kind, State
from booking.models import Blackout
from booking.services import blocking, locking, waiting

logger = logging.getLogger(__name__)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class BlackoutRefused(errors.Invalid):
    """The time cannot be; `fields` names why."""

    code, title_zh, title_en = "blackout_refused", "停用时间有误", "Not a time for a blackout"


class BlackoutOver(errors.Conflict):
    """It is over or cancelled, or what has begun cannot begin at another time."""

    code, title_zh, title_en = (
        "blackout_over",
        "停用已开始或已结束",
        "The blackout began or is over",
    )


@dataclass(frozen=True, slots=True)
class BlackoutWish:
    """What is out of use and why; no units is all of the space."""

    space: Space
    kind: Kind
    span: Span
    reason: str
    units: Sequence[int] = ()


def may_handle(actor: Actor, kind: str) -> None:
    """Let managers through, and technicians when it is maintenance.

    Raises:
        errors.Forbidden: anybody else.
    """
    allowed = {Role.MANAGER, Role.ADMIN}
    if kind == Kind.MAINTENANCE:
        allowed.add(Role.TECHNICIAN)
    if not actor.is_staff or actor.role not in allowed:
        raise errors.Forbidden(f"not for role {actor.role}", allowed=sorted(map(str, allowed)))


def create(*, wish: BlackoutWish, actor: Actor, now: datetime) -> Blackout:
    """Take a space out of use.

    Raises:
        BlackoutRefused: names what is wrong with the time.
        blocking.UnknownUnits: the space has no such units.
        blocking.SpaceTaken: names the bookings, leases and blackouts in the way.
    """
    may_handle(actor, wish.kind)
    _check(wish.space, wish.span, wish.units, now=now)
    return db.in_transaction(partial(_create, wish, actor=actor, now=now))


def _create(wish: BlackoutWish, *, actor: Actor, now: datetime) -> Blackout:
    locking.lock_spaces([wish.space.pk])
    row = Blackout.objects.create(
        code="BO" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        space=wish.space,
        kind=wish.kind,
        starts_at=wish.span.start,
        ends_at=wish.span.end,
        reason=wish.reason,
        created_by=actor.label,
        created_at=now,
    )
    _take(row, blocking.whole_or(wish.space, wish.units), now=now)
    _record(row, "create", actor=actor, now=now, units=list(wish.units), reason=wish.reason)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return row


def amend(
    *,
    blackout: Blackout,
    span: Span | None = None,
    units: Sequence[int] | None = None,
    reason: str | None = None,
    check: Callable[[Blackout], None] = lambda row: None,
    actor: Actor,
    now: datetime,
) -> Blackout:
    """Change time, units or reason; what is None stays. `check` sees the locked row first.

    Raises:
        BlackoutOver: it is over, or it began and would begin at another time.
        BlackoutRefused, blocking.UnknownUnits, blocking.SpaceTaken: as for a new one.
    """
    may_handle(actor, blackout.kind)

    def work() -> Blackout:
        row = _locked(blackout)
        check(row)
        wanted = span or row.span
        _check_open(row, wanted, now=now)
        numbers = _numbers(row) if units is None else list(units)
        if span is not None or units is not None:
            _check(row.space, wanted, numbers, now=now, start_kept=wanted.start == row.starts_at)
        before = {"starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
        row.starts_at, row.ends_at = wanted.start, wanted.end
        row.reason = row.reason if reason is None else reason
        row.version += 1
        row.save()
        row.allocations.all().delete()
        _take(row, blocking.whole_or(row.space, numbers), now=now)
        _record(row, "amend", actor=actor, now=now, before=before, units=numbers)
        occupancy.refresh(space_ids=[row.space_id], now=now)
        return row

    return db.in_transaction(work)


def cancel(*, blackout: Blackout, reason: str, actor: Actor, now: datetime) -> Blackout:
    """Give the rest of the time back; what was out of use so far stays on record.

    Raises:
        BlackoutOver: it is over, or was cancelled before.
    """
    may_handle(actor, blackout.kind)
    return db.in_transaction(partial(_cancel, blackout, reason, actor=actor, now=now))


def _cancel(blackout: Blackout, reason: str, *, actor: Actor, now: datetime) -> Blackout:
    row = _locked(blackout)
    _check_open(row, row.span, now=now)
    blocking.shorten(row.allocations.filter(active=True), now)
    row.cancelled_at, row.cancel_reason = now, reason
    row.version += 1
    row.save()
    _record(row, "cancel", actor=actor, now=now, why=reason)
    waiting.offer_freed([row.space_id], row.span, now=now)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return row


def _take(row: Blackout, units: Sequence[int], *, now: datetime) -> None:
    blocking.take(
        space=row.space, units=units, span=row.span, kind="blackout", now=now,
        blackout=row, note=row.reason[:120],
    )  # fmt: skip


def _numbers(row: Blackout) -> list[int]:
    found = row.allocations.filter(active=True, unit__gt=0)
    return sorted(found.values_list("unit", flat=True))


def _check(
    space: Space, span: Span, units: Sequence[int], *, now: datetime, start_kept: bool = False
) -> None:
    blocking.check_units(space, units)
    found = [
        fault
        for fault in blackouts.faults(span, now=now)
        if not (start_kept and fault.name == "starts_at")
    ]
    if found:
        raise BlackoutRefused(", ".join(f.reason_en for f in found), fields=found)


def _check_open(row: Blackout, wanted: Span, *, now: datetime) -> None:
    state = row.state(now)
    moved = wanted.start != row.starts_at
    if state in (State.OVER, State.CANCELLED) or (state is State.RUNNING and moved):
        raise BlackoutOver(f"{row.code} is {state}", state=str(state))


def _locked(blackout: Blackout) -> Blackout:
    locking.lock_spaces([blackout.space_id])
    rows = Blackout.objects.select_for_update(of=("self",)).select_related("space__type")
    return rows.get(pk=blackout.pk)


def _record(
    row: Blackout,
    deed: str,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    audit.record(
        actor=actor,
        action=f"blackout.{deed}",
        object_type="blackout",
        object_code=row.code,
        before=before,
        after={
            "space": row.space.code,
            "kind": row.kind,
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
            **more,
        },
        now=now,
    )
    logger.info("blackout.changed", extra={"blackout": row.code, "deed": deed})
