"""Somebody's leases, and the units that are in them."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Prefetch, QuerySet

from base_ops.core.errors import NotFound
from booking.models import Allocation, Lease


class LeaseNotFound(NotFound):
    """No such lease, or not one of the caller's."""

    code, title_zh, title_en = "lease_not_found", "找不到该长租", "No such lease"


def leases_for(tenant_id: int | None) -> QuerySet[Lease]:
    """The leases a caller may see: a tenant's own, or all (None: people of the base)."""
    rows = Lease.objects.select_related("space__type", "space__floor", "tenant", "renews")
    rows = rows.prefetch_related(
        Prefetch("allocations", Allocation.objects.filter(active=True).order_by("unit")),
        Prefetch("renewals", Lease.objects.exclude(status="withdrawn")),
    )
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def lease_for(*, code: str, tenant_id: int | None) -> Lease:
    """One lease.

    Raises:
        LeaseNotFound: there is none, or it is somebody else's; the answers do not differ.
    """
    found = leases_for(tenant_id).filter(code=code).first()
    if found is None:
        raise LeaseNotFound(f"no lease {code}")
    return found


def leases_filtered(
    rows: QuerySet[Lease],
    *,
    statuses: Sequence[str],
    space: str | None,
    tenant: str | None,
    ends_before: date | None,
) -> QuerySet[Lease]:
    """Narrow a list of leases."""
    if statuses:
        rows = rows.filter(status__in=statuses)
    if space:
        rows = rows.filter(space__code=space)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    return rows.filter(ends_on__lte=ends_before) if ends_before else rows


def unit_numbers(lease: Lease) -> list[int]:
    """The units in the lease; none for a space that is not divided, or that it does not take."""
    return sorted({row.unit for row in lease.allocations.all() if row.active and row.unit})


def renewal_of(lease: Lease) -> Lease | None:
    """The lease that follows this one, if it was renewed."""
    return next((r for r in lease.renewals.all() if r.status != "withdrawn"), None)
