"""Which deliveries may go now: due, within what their endpoint bears, and nobody else's."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from base_ops.core.models import Channel, Delivery, DeliveryStatus, Endpoint, NoticePreferences
from base_ops.core.notifications import pacing, templates
from base_ops.core.notifications.quiet import QuietHours

LEASE = timedelta(seconds=90)  # longer than any attempt lasts
MOST_AGE = timedelta(days=3)
AT_ONCE = {Channel.EMAIL: 4, Channel.WEBHOOK: 2, Channel.WECOM: 1, Channel.DINGTALK: 1}
_ROBOTS = frozenset({Channel.WECOM, Channel.DINGTALK})

_CLAIM = """
UPDATE core_delivery SET claimed_until = %(lease)s, attempts = attempts + 1, attempted_at = %(now)s
WHERE id IN (
  SELECT id FROM core_delivery WHERE endpoint_id = %(endpoint)s AND status = 'waiting'
    AND due_at <= %(now)s AND (claimed_until IS NULL OR claimed_until <= %(now)s)
  ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def endpoints_due(*, mail: bool, now: datetime) -> list[int]:
    """Endpoints that have something to send and may be tried, those that work first."""
    waiting = Delivery.objects.filter(
        endpoint=OuterRef("pk"), status=DeliveryStatus.WAITING, due_at__lte=now
    ).filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now))
    rows = Endpoint.objects.filter(
        Q(open_until__isnull=True) | Q(open_until__lte=now), Exists(waiting), active=True
    )
    rows = rows.filter(kind=Channel.EMAIL) if mail else rows.exclude(kind=Channel.EMAIL)
    return list(
        rows.order_by("failures", F("last_ok_at").asc(nulls_first=True), "pk").values_list(
            "pk", flat=True
        )
    )


def claim(endpoint_id: int, *, most: int, most_suspect: int, now: datetime) -> list[Delivery]:
    """Lease up to `most` deliveries of one endpoint (of one that failed: `most_suspect`).

    They come with notice, endpoint and user. Another process that looks at the same endpoint now
    makes this one get nothing.
    """
    with transaction.atomic():
        endpoint = (
            Endpoint.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=endpoint_id, active=True)
            .first()
        )
        if endpoint is None or (endpoint.open_until is not None and endpoint.open_until > now):
            return []
        _put_aside(endpoint, now=now)
        quota = min(_quota(endpoint, now=now), most_suspect if endpoint.failures else most)
        if endpoint.kind in _ROBOTS:
            quota, _ = pacing.admitted(pacing.ROBOT_RATE, endpoint.paced_until, quota, now=now)
        ids = _leased(endpoint, quota, now=now) if quota > 0 else []
        if ids and endpoint.kind in _ROBOTS:
            _, endpoint.paced_until = pacing.admitted(
                pacing.ROBOT_RATE, endpoint.paced_until, len(ids), now=now
            )
            endpoint.save(update_fields=["paced_until"])
    rows = Delivery.objects.filter(pk__in=ids).order_by("due_at", "pk")
    return list(rows.select_related("notice", "endpoint", "user"))


def _quota(endpoint: Endpoint, *, now: datetime) -> int:
    """How many more at once; one that failed too often is tried with a single message."""
    on_their_way = Delivery.objects.filter(
        endpoint=endpoint, status=DeliveryStatus.WAITING, claimed_until__gt=now
    ).count()
    probing = endpoint.failures >= pacing.FAILURES_TO_OPEN
    return (1 if probing else AT_ONCE[Channel(endpoint.kind)]) - on_their_way


def _leased(endpoint: Endpoint, quota: int, *, now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"endpoint": endpoint.pk, "limit": quota, "now": now, "lease": now + LEASE}
        )
        return [pk for (pk,) in cursor.fetchall()]


def _put_aside(endpoint: Endpoint, *, now: datetime) -> None:
    """End what came too late to be of use; move what would disturb to the end of quiet hours."""
    due = Delivery.objects.filter(
        endpoint=endpoint, status=DeliveryStatus.WAITING, due_at__lte=now
    ).filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now))
    stale = Q(created_at__lte=now - MOST_AGE)
    for key, minutes in _useful_minutes():
        stale |= Q(notice__kind=key, created_at__lte=now - timedelta(minutes=minutes))
    ids = list(due.filter(stale).values_list("pk", flat=True)[:500])
    Delivery.objects.filter(pk__in=ids).update(
        status=DeliveryStatus.EXPIRED, ended_at=now, claimed_until=None, error="too_late"
    )
    if endpoint.kind == Channel.EMAIL:
        _respect_quiet(
            list(due.filter(notice__urgent=False).values_list("user_id", flat=True)), now
        )


def _useful_minutes() -> list[tuple[str, int]]:
    known = templates.known().values()
    return [(t.key, t.useful_min) for t in known if t.useful_min is not None]


def _respect_quiet(user_ids: Sequence[int | None], now: datetime) -> None:
    """Delay mail that is not urgent to users who sleep: later, never lost."""
    rows = NoticePreferences.objects.filter(user_id__in=set(user_ids), quiet_from__isnull=False)
    for wish in rows:
        assert wish.quiet_from is not None  # the filter and a constraint say so
        assert wish.quiet_to is not None
        over = QuietHours(wish.quiet_from, wish.quiet_to).over_at(now)
        if over > now:
            Delivery.objects.filter(
                user_id=wish.user_id,
                status=DeliveryStatus.WAITING,
                due_at__lte=now,
                notice__urgent=False,
            ).update(due_at=over)
