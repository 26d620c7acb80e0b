"""Every lease is charged once per month; billing's unique source makes it once."""

import logging
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from base_ops.core import errors
from billing import services as billing
from billing.domain.facts import LeaseFacts
from booking.models import Lease

logger = logging.getLogger(__name__)
ZONE = ZoneInfo("Asia/Shanghai")


def charge_leases(*, now: datetime) -> int:
    """Charge last month and this one for every lease that runs in them.

    Last month too: a base that was not running, or begins with leases, owes no invoice less.

    Returns:
        How many lease months billing was asked for.
    """
    this = now.astimezone(ZONE).date().replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    return sum(_charge_month(month, now=now) for month in (last, this))


def _charge_month(month: date, *, now: datetime) -> int:
    following = (month + timedelta(days=31)).replace(day=1)
    due = [_facts(row, month) for row in Lease.objects.filter(
        starts_on__lt=following, ends_on__gt=month
    ).order_by("code")]  # fmt: skip
    charged = billing.known_sources(facts.source for facts in due)
    return sum(_charge(facts, now=now) for facts in due if facts.source not in charged)


def _charge(facts: LeaseFacts, *, now: datetime) -> bool:
    """One lease month; a lease without a price must not keep the others waiting."""
    try:
        billing.charge_lease(facts=facts, now=now)
    except errors.DomainError as exc:
        logger.warning(
            "lease.not_charged",
            extra={"lease": facts.lease_code, "code": exc.code, "detail": exc.detail},
        )
        return False
    return True


def _facts(row: Lease, month: date) -> LeaseFacts:
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
    )
