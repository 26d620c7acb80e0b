"""Deeds that put leases into force: draft, amend, sign, renew. Each is one transaction.

The space is locked first, then the lease: whoever books or blocks the space waits meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from base_ops.core import db
from base_ops.core.actors import Actor
from booking import occupancy, selectors
from booking.domain import leases
from booking.domain.leases import Deed, Status
from booking.models import Lease
from booking.services import blocking, lease_wishes
from booking.services.lease_changing import advance, locked, record, refuse_renewed, terms
from booking.services.lease_wishes import LeaseWish


@dataclass(frozen=True, slots=True)
class Renewal:
    """The next term; what is None stays as it was, and a deposit is only what is due in addition.

    `months` count by the calendar from the first lease's first day; `ends_on` wins over them.
    """

    months: int = 12
    ends_on: date | None = None
    monthly_rent_fen: int | None = None
    free_months: int = 0
    notice_months: int | None = None
    deposit_fen: int = 0


def draft(*, wish: LeaseWish, actor: Actor, now: datetime) -> Lease:
    """Write a lease down without taking anything.

    Raises:
        lease_wishes.LeaseRefused: names every broken rule.
        blocking.UnknownUnits: the space has no such units.
        billing's NotPriced: no rent was agreed and the tariff has none.
    """
    lease_wishes.check(wish, now=now)

    def work() -> Lease:
        lease = lease_wishes.unsaved(wish, now=now)
        lease.save()
        record(lease, "draft", actor=actor, now=now, **terms(lease))
        return lease

    return db.in_transaction(work)


def sign(*, lease: Lease, actor: Actor, now: datetime) -> Lease:
    """Put a draft into force: it takes its space, or the units it names, or free neighbours.

    Raises:
        blocking.SpaceTaken: names what stands in the way, and what is free instead.
        lease_wishes.LeaseRefused: it broke a rule meanwhile.
        leases.WrongLeaseState: it is not a draft.
    """
    return db.in_transaction(partial(_sign, lease, actor=actor, now=now))


def _sign(lease: Lease, *, actor: Actor, now: datetime) -> Lease:
    row = locked(lease)
    target = leases.after(row.status, Deed.SIGN)
    lease_wishes.check(_wish_of(row), now=now)
    units = _take(row, now=now)
    advance(row, target, "sign", actor=actor, now=now, units=units, signed_at=now)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return row


def _take(row: Lease, *, now: datetime) -> list[int]:
    """Allocate what a lease wants.

    Raises:
        blocking.SpaceTaken: it cannot have it.
    """
    units = lease_wishes.chosen(row, blocking.free_units(row.space, row.span, now=now))
    if not units:
        standing = blocking.in_the_way(row.space, selectors.units_of(row.space), row.span, now=now)
        raise blocking.taken(row.space, row.span, standing, now=now)
    blocking.take(space=row.space, units=units, span=row.span, kind="lease", now=now, lease=row)
    return units


def renew(*, lease: Lease, renewal: Renewal, actor: Actor, now: datetime) -> Lease:
    """Let the same units to the same tenant for another term, at the same or another rent.

    Raises:
        AlreadyRenewed: names the lease that follows.
        blocking.SpaceTaken: somebody has the space after this lease.
        leases.WrongLeaseState: it is not in force, or under notice.
        lease_wishes.LeaseRefused: names every broken rule.
    """
    return db.in_transaction(partial(_renew, lease, renewal, actor=actor, now=now))


def _renew(lease: Lease, renewal: Renewal, *, actor: Actor, now: datetime) -> Lease:
    row = locked(lease)
    refuse_renewed(row)
    if row.status != Status.SIGNED:
        raise leases.WrongLeaseState(
            f"cannot renew a lease that is {row.status}", lease_status=row.status, deed="renew"
        )
    following = _following(row, renewal, now=now)
    lease_wishes.check(_wish_of(following), now=now)
    following.save()
    units = _take(following, now=now)
    record(following, "renew", actor=actor, now=now, renews=row.code, **terms(following))
    record(row, "renewed", actor=actor, now=now, by=following.code, units=units)
    occupancy.refresh(space_ids=[row.space_id], now=now)
    return following


def _following(row: Lease, renewal: Renewal, *, now: datetime) -> Lease:
    """The next lease, in force from the day on which this one ends."""
    rent, notice = renewal.monthly_rent_fen, renewal.notice_months
    return Lease(
        code=lease_wishes.new_code(),
        tenant=row.tenant,
        space=row.space,
        status=Status.SIGNED,
        renews=row,
        since_on=row.since,
        units=row.units,
        wanted_units=selectors.unit_numbers(row),
        starts_on=row.ends_on,
        ends_on=renewal.ends_on
        or leases.renewed_end(since=row.since, ends_on=row.ends_on, months=renewal.months),
        monthly_rent_fen=row.monthly_rent_fen if rent is None else rent,
        area_m2=row.area_m2,
        free_months=renewal.free_months,
        notice_months=row.notice_months if notice is None else notice,
        deposit_fen=renewal.deposit_fen,
        policy_code=row.policy_code,
        created_at=now,
        signed_at=now,
    )


def amend(
    *,
    lease: Lease,
    wish: LeaseWish,
    actor: Actor,
    check: Callable[[Lease], None] = lambda row: None,
    now: datetime,
) -> Lease:
    """Write a draft anew; `check` sees the locked row first: it compares versions.

    Raises:
        leases.WrongLeaseState: what is signed is changed by renewing or terminating it.
        lease_wishes.LeaseRefused, blocking.UnknownUnits, billing's NotPriced: as for a draft.
    """
    lease_wishes.check(wish, now=now)

    def work() -> Lease:
        row = locked(lease)
        check(row)
        if row.status != Status.DRAFT:
            raise leases.WrongLeaseState("only a draft is changed", lease_status=row.status)
        before = terms(row)
        fresh = lease_wishes.unsaved(wish, now=now)
        fresh.pk, fresh.code, fresh.created_at = row.pk, row.code, row.created_at
        fresh.version = row.version + 1
        fresh.save()
        record(fresh, "amend", actor=actor, now=now, before=before, **terms(fresh))
        return fresh

    return db.in_transaction(work)


def _wish_of(row: Lease) -> LeaseWish:
    return LeaseWish(
        space=row.space,
        tenant=row.tenant,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        unit_numbers=tuple(row.wanted_units),
        unit_count=row.units,
        monthly_rent_fen=row.monthly_rent_fen,
        free_months=row.free_months,
    )
