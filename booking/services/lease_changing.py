"""One way to change a lease: locked, by the table, with a version, on record."""

import logging
from datetime import datetime
from typing import Any

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from booking.domain.leases import Status
from booking.models import Lease
from booking.services import locking

logger = logging.getLogger(__name__)


class AlreadyRenewed(errors.Conflict):
    """Another lease follows this one; withdraw that one first."""

    code, title_zh, title_en = "lease_renewed", "该长租已续签", "The lease was renewed already"


def locked(lease: Lease) -> Lease:
    """The lease as it stands now, its space locked first, then its own row."""
    locking.lock_spaces([lease.space_id])
    rows = Lease.objects.select_for_update(of=("self",))
    return rows.select_related("space__type", "space__floor", "tenant").get(pk=lease.pk)


def renewed_by(row: Lease) -> Lease | None:
    """The lease that follows, as the database has it now."""
    return row.renewals.exclude(status=Status.WITHDRAWN).first()


def refuse_renewed(row: Lease) -> None:
    """Let through what no other lease follows.

    Raises:
        AlreadyRenewed: names the one that follows.
    """
    if (following := renewed_by(row)) is not None:
        raise AlreadyRenewed(f"{following.code} follows {row.code}", renewal=following.code)


def terms(row: Lease) -> dict[str, Any]:
    """What was agreed, for the record."""
    return {
        "space": row.space.code,
        "tenant": row.tenant.code,
        "starts_on": str(row.starts_on),
        "ends_on": str(row.ends_on),
        "units": row.wanted_units or row.units,
        "monthly_rent_fen": row.monthly_rent_fen,
        "free_months": row.free_months,
        "deposit_fen": row.deposit_fen,
    }


_FIELDS = frozenset({"signed_at", "noticed_at", "ended_at", "end_reason"})


def advance(
    row: Lease, target: Status, deed: str, *, actor: Actor, now: datetime, **more: Any
) -> None:
    """Save a locked lease in its new status, on record; `more` are its fields and what to note."""
    before = {"status": row.status}
    row.status = target
    row.version += 1
    for name in _FIELDS & more.keys():
        setattr(row, name, more.pop(name))
    row.save()
    record(row, deed, actor=actor, now=now, before=before, **more)
    logger.info("lease.changed", extra={"lease": row.code, "deed": deed, "to": str(target)})


def record(
    row: Lease,
    deed: str,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write the audit row of a deed."""
    audit.record(
        actor=actor,
        action=f"lease.{deed}",
        object_type="lease",
        object_code=row.code,
        before=before,
        after={"status": str(row.status), **more},
        now=now,
    )
