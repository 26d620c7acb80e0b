"""Every lease is charged once per month; an early end gives back what was charged beyond it."""

import logging
from datetime import date, datetime, timedelta
from functools import partial

from base_ops.core import db, errors
from base_ops.core.months import add_months, first_of, months_of
from billing import services as billing
from billing.domain.facts import LeaseCutFacts, LeaseFacts
from booking.domain import leases
from booking.models import Lease

logger = logging.getLogger(__name__)


def charge_leases(*, now: datetime) -> int:
    """Charge last month and this one for every lease that runs in them.

    Last month too: a base that was not running, or begins with leases, owes no invoice less.

    Returns:
        How many lease months billing was asked for.
    """
    this = first_of(leases.today(now))
    return sum(_charge_month(month, now=now) for month in (add_months(this, -1), this))


def _charge_month(month: date, *, now: datetime) -> int:
    due = {facts(row, month).source: row for row in _running(month)}
    charged = billing.known_sources(due)
    return sum(_try(row, month, now=now) for source, row in due.items() if source not in charged)


def _running(month: date) -> list[Lease]:
    rows = Lease.objects.filter(status__in=leases.BILLED, starts_on__lt=add_months(month, 1))
    return list(rows.filter(ends_on__gt=month).order_by("code"))


def _try(row: Lease, month: date, *, now: datetime) -> bool:
    """One lease month; a lease without a price must not keep the others waiting."""
    try:
        return db.in_transaction(partial(_charge, row.pk, month, now=now))
    except errors.DomainError as exc:
        logger.warning(
            "lease.not_charged",
            extra={"lease": row.code, "code": exc.code, "detail": exc.detail},
        )
        return False


def _charge(lease_id: int, month: date, *, now: datetime) -> bool:
    """Locked, so that a lease is never charged by dates that somebody is just changing."""
    row = Lease.objects.select_for_update(no_key=True, of=("self",)).get(pk=lease_id)
    if row.status not in leases.BILLED or not row.ends_on > month:
        return False
    billing.charge_lease(facts=facts(row, month), now=now)
    return True


def give_back(lease: Lease, *, last_day: date, charged_to: date, now: datetime) -> int:
    """Credit what was charged of a locked lease beyond its new last day; returns how many fen.

    Months that were never charged are not there to be credited; billing knows which were.
    """
    months = months_of(last_day, min(charged_to, leases.today(now)))
    credits_ = [
        charge
        for month in months
        for charge in billing.cut_lease(facts=LeaseCutFacts(lease.code, month, last_day), now=now)
    ]
    return -sum(charge.gross_fen for charge in credits_)


def facts(row: Lease, month: date) -> LeaseFacts:
    """As billing wants it: there `ends_on` is the last day, here the first day after."""
    return LeaseFacts(
        lease_code=row.code,
        tenant_id=row.tenant_id,
        space_id=row.space_id,
        month=month,
        starts_on=row.starts_on,
        ends_on=row.ends_on - timedelta(days=1),
        units=row.units,
        area_m2=row.area_m2,
        monthly_rent_fen=row.monthly_rent_fen,
        free_months=row.free_months,
        policy=row.policy_code or None,
        since=row.since_on,
    )


def priced_by_tariff(row: Lease, month: date) -> LeaseFacts:
    """A whole month of it without agreements: no rent, no free months, no relief."""
    return LeaseFacts(
        lease_code=row.code,
        tenant_id=row.tenant_id,
        space_id=row.space_id,
        month=month,
        starts_on=month,
        ends_on=add_months(month, 1) - timedelta(days=1),
        units=row.units,
        area_m2=row.area_m2,
    )
