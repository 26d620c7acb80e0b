"""The times that requests ask about, and the part of one that the caller may see."""

from datetime import datetime, timedelta

from django.http import HttpRequest

from base_ops.core import auth, errors
from base_ops.core.spans import Span
from devices import selectors
from devices.domain.rollups import ROLLUPS_KEPT

HOUR = timedelta(hours=1)
LONGEST = ROLLUPS_KEPT
FIRST_YEAR, LAST_YEAR = 2000, 2100


def asked(start: datetime | None, end: datetime | None, now: datetime) -> Span:
    """The time that a request names; without an end up to now, without a start one hour.

    Raises:
        errors.Invalid: no such time, or too long a one.
    """
    until = _in_range(end or now)
    return _span(_in_range(start or until - HOUR), until)


def seen_part(
    request: HttpRequest, space_id: int | None, span: Span, now: datetime
) -> Span | None:
    """The part of a time that the caller may see; a tenant's begins with the right they hold."""
    tenant_id = auth.user_of(request).tenant_id
    if tenant_id is None:
        return span
    if space_id is None:
        return None
    since = selectors.held_since(space_id, tenant_id=tenant_id, now=now)
    if since is None or since >= span.end:
        return None
    return Span(max(span.start, since), span.end)


def _in_range(at: datetime) -> datetime:
    """Raises errors.Invalid outside the years that telemetry can be of."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise errors.Invalid(f"years {FIRST_YEAR} to {LAST_YEAR}", fields=[_range_fault()])
    return at


def _span(start: datetime, end: datetime) -> Span:
    """Raises errors.Invalid unless start < end, with zones, and no longer than rollups live."""
    try:
        span = Span(start, end)
    except ValueError as exc:
        raise errors.Invalid(str(exc), fields=[_range_fault()]) from exc
    if span.length > LONGEST:
        raise errors.Invalid(f"at most {LONGEST.days} days", fields=[_range_fault()])
    return span


def _range_fault() -> errors.FieldFault:
    return errors.FieldFault(
        "from", f"时间范围须为 {LONGEST.days} 天以内", f"a range of at most {LONGEST.days} days"
    )
