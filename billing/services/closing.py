"""Close a month of the books, and open the last closed one again."""

from datetime import date, datetime

from django.db import connection, transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict
from base_ops.core.months import add_months, first_of
from billing.domain.texts import local_day
from billing.models import Entry, Period
from billing.selectors import books
from billing.services import posting

_LOCK = "SELECT pg_advisory_xact_lock(7302612, %s)"


class PeriodState(Conflict):
    """The month is not over, an earlier one is open, a later one closed, or the books disagree."""

    code, title_zh, title_en = (
        "period_state",
        "该月不能结账或反结账",
        "Not possible for this month",
    )


def close(*, month: date, actor: Actor, now: datetime) -> Period:
    """Close a month: whoever writes into it is waited for, and nobody can afterwards.

    Closing again changes nothing.

    Raises:
        PeriodState: the month is not over, an earlier one is open, or the books do not agree.
    """
    month = first_of(month)
    with transaction.atomic():
        _alone(month)
        row = Period.objects.filter(month=month).first()
        if row is not None and row.closed:
            return row
        if first_of(local_day(now)) <= month:
            raise PeriodState("the month is not over")
        posting.post_documents(now)
        _check_earlier(month)
        if findings := books.disagreements():
            raise PeriodState("; ".join(findings)[:400])
        row, _ = Period.objects.update_or_create(
            month=month, defaults={"closed": True, "closed_at": now, "closed_by": actor.label}
        )
        _record("period.close", row, actor, now)
    return row


def reopen(*, month: date, reason: str, actor: Actor, now: datetime) -> Period:
    """Open the month that was closed last; for administrators, on record.

    Raises:
        PeriodState: it is not closed, or a later one is.
    """
    month = first_of(month)
    with transaction.atomic():
        _alone(month)
        row = Period.objects.select_for_update().filter(month=month, closed=True).first()
        if row is None or Period.objects.filter(month__gt=month, closed=True).exists():
            raise PeriodState("not the month that was closed last")
        row.closed, row.reopened_at, row.reopened_by, row.reason = False, now, actor.label, reason
        row.save()
        _record("period.reopen", row, actor, now)
    return row


def _check_earlier(month: date) -> None:
    """Every month since the books began is closed before."""
    begun = Entry.objects.order_by("on").values_list("on", flat=True).first()
    if begun is None or first_of(begun) >= month:
        return
    before = add_months(month, -1)
    if not Period.objects.filter(month=before, closed=True).exists():
        raise PeriodState(f"{before:%Y-%m} is open")


def _alone(month: date) -> None:
    """Wait for who closes or opens, then for who writes into the month; keep others waiting."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [0])
        cursor.execute(_LOCK, [month.year * 12 + month.month])


def _record(action: str, row: Period, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor, action=action, object_type="period", object_code=str(row),
        after={"closed": row.closed, "reason": row.reason}, now=now,
    )  # fmt: skip
