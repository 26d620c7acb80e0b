"""Real bookings of some days, as billing prices them: to see what another policy would change."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from base_ops.core.models import Tenant
from billing import services as billing
from billing.domain.facts import booking_source
from booking.domain.grid import ZONE
from booking.domain.states import Status
from booking.models import Booking

REAL = (Status.CONFIRMED, Status.CHECKED_IN, Status.COMPLETED)


def claims_between(
    first: date, last: date, tenant: Tenant | None = None
) -> Iterator[billing.Claim]:
    """Bookings that took place or will, by the Shanghai days on which they begin."""
    start = datetime.combine(first, time(), ZONE)
    end = datetime.combine(last + timedelta(days=1), time(), ZONE)
    rows = Booking.objects.filter(
        status__in=[str(status) for status in REAL], starts_at__gte=start, starts_at__lt=end
    )
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    for row in rows.select_related("tenant", "space__type").order_by("created_at", "id"):
        yield billing.Claim(
            source=booking_source(row.code),
            tenant=row.tenant,
            space=row.space,
            span=row.span,
            at=row.created_at,
            purpose=row.purpose,
            units=row.units,
        )
