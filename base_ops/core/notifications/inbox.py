"""The inbox of a user: what is in it, what is read, and what the bell shows."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet

from base_ops.core import live
from base_ops.core.models import InboxItem, User

TOPIC = "notices."
_LOCKS = 0x6E6F7469  # "noti": the first key of the advisory lock of one user's inbox


def may_follow(user: User, topic: str) -> bool:
    """Everybody follows their own inbox only."""
    return topic == f"{TOPIC}{user.pk}"


def items_of(user: User) -> QuerySet[InboxItem]:
    """The user's notices, unordered, each with its notice."""
    return InboxItem.objects.filter(user=user).select_related("notice")


def unread(user_ids: Collection[int]) -> dict[int, int]:
    """How many each has not read."""
    rows = InboxItem.objects.filter(user_id__in=user_ids, read_at__isnull=True)
    counts = dict(rows.values_list("user_id").annotate(n=Count("pk")))
    return {pk: counts.get(pk, 0) for pk in user_ids}


def lock(user_ids: Collection[int]) -> None:
    """Let the caller alone change these inboxes until its transaction ends: counts stay true."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, id) FROM"
            " (SELECT unnest(%s::int[]) AS id ORDER BY 1) AS sorted",
            [_LOCKS, sorted(pk % 2**31 for pk in set(user_ids))],
        )


def show(latest: Mapping[int, Mapping[str, Any] | None], *, now: datetime) -> None:
    """Ring the bells: unread counts and what came last; last statement of a transaction."""
    counts = unread(latest)
    live.publish(
        {
            f"{TOPIC}{pk}": {"unread": counts[pk]} | ({"latest": item} if item else {})
            for pk, item in latest.items()
        },
        now=now,
    )


def mark_read(*, user: User, ids: Collection[int] | None, now: datetime) -> int:
    """Mark these notices of the user, or all (None), as read; returns how many are left."""
    with transaction.atomic():
        lock([user.pk])
        rows = InboxItem.objects.filter(user=user, read_at__isnull=True, created_at__lte=now)
        if ids is not None:
            rows = rows.filter(pk__in=ids)
        if rows.update(read_at=now):
            show({user.pk: None}, now=now)
        return unread([user.pk])[user.pk]
