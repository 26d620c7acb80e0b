"""Deeds on calendar feeds: make, revoke, open one by its token."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from base_ops.core import audit, errors
from base_ops.core.idempotency import KeyReused
from base_ops.core.models import Role, Space, Tenant, User
from booking.models import CalendarFeed

TOKEN_PREFIX = "cal_"  # noqa: S105 - a prefix, not a secret
MAX_FEEDS = 20
WINDOW = timedelta(minutes=10)
MAX_READINGS = 60
READERS = (Role.MANAGER, Role.TECHNICIAN, Role.FINANCE, Role.ADMIN)


class TooManyFeeds(errors.Conflict):
    """The user has as many live feeds as allowed."""

    code, title_zh, title_en = "too_many_feeds", "日历订阅数量已达上限", "No more feeds allowed"


class FeedNotFound(errors.NotFound):
    """No such feed, or not one of the caller's."""

    code, title_zh, title_en = "feed_not_found", "找不到该日历订阅", "No such calendar feed"


class ReadTooOften(errors.TooMany):
    """A calendar program asks far more often than it was told to."""

    code, title_zh, title_en = "feed_read_too_often", "日历刷新过于频繁", "Read too often"


@dataclass(frozen=True, slots=True)
class FeedWish:
    """What somebody wants to subscribe to; exactly what the scope needs."""

    name: str
    scope: str
    tenant: Tenant | None = None
    space: Space | None = None


def create_feed(
    *, wish: FeedWish, user: User, key: str, now: datetime
) -> tuple[str, CalendarFeed]:
    """Make a feed; returns the token, which is kept nowhere.

    The token is computed from the user and their `key`: the same request sent again makes the
    same feed with the same token, and no answer with a secret need be stored.

    Raises:
        errors.Forbidden: the role may not see what the feed would show.
        KeyReused: the key already made a different feed.
        TooManyFeeds: the user has 20 live ones.
    """
    if not may_read(user):
        raise errors.Forbidden(f"role {user.role} sees no bookings")
    token = _token(user, key)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if earlier := CalendarFeed.objects.filter(digest=digest_of(token)).first():
            if _wish(earlier) != wish:
                raise KeyReused(f"the key made feed {earlier.pk}")
            return token, earlier
        live = CalendarFeed.objects.filter(created_by=user, revoked_at=None)
        if live.count() >= MAX_FEEDS:
            raise TooManyFeeds(limit=MAX_FEEDS)
        feed = CalendarFeed.objects.create(
            created_by=user, viewer=user.tenant, name=wish.name, scope=wish.scope,
            tenant=wish.tenant, space=wish.space, prefix=token[:10], digest=digest_of(token),
            created_at=now,
        )  # fmt: skip
        _record(feed, "create", user, now)
    return token, feed


def revoke_feed(*, feed: CalendarFeed, user: User, now: datetime) -> CalendarFeed:
    """End a feed at once; again is harmless."""
    with transaction.atomic():
        row = CalendarFeed.objects.select_for_update().get(pk=feed.pk)
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            _record(row, "revoke", user, now)
    return row


def open_feed(*, token: str, now: datetime) -> CalendarFeed | None:
    """The live feed behind a token, this reading counted; None when there is none for anybody.

    Raises:
        ReadTooOften: more than 60 readings in ten minutes.
    """
    if not token.startswith(TOKEN_PREFIX):
        return None
    rows = CalendarFeed.objects.select_related("created_by__tenant", "viewer", "tenant", "space")
    feed = rows.filter(digest=digest_of(token), revoked_at=None).first()
    if feed is None or not _still_theirs(feed):
        return None
    fresh = Q(counted_from__isnull=True) | Q(counted_from__lte=now - WINDOW)
    CalendarFeed.objects.filter(pk=feed.pk).update(
        counted=Case(When(fresh, then=Value(1)), default=F("counted") + 1),
        counted_from=Case(When(fresh, then=Value(now)), default=F("counted_from")),
        last_used_at=now,
    )
    feed.refresh_from_db(fields=["counted", "counted_from", "body_digest", "body_changed_at"])
    if feed.counted > MAX_READINGS:
        assert feed.counted_from is not None
        wait = feed.counted_from + WINDOW - now
        raise ReadTooOften(
            "ask every 15 minutes", retry_after_s=max(1, round(wait.total_seconds()))
        )
    return feed


def changed_at(*, feed: CalendarFeed, body: bytes, now: datetime) -> datetime:
    """When the feed's text last became what it is now, in whole seconds.

    Each change gets a second of its own: a client that only knows the time never misses one.
    """
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        row = CalendarFeed.objects.select_for_update().get(pk=feed.pk)
        if row.body_digest == digest and row.body_changed_at is not None:
            return row.body_changed_at
        at = now.replace(microsecond=0)
        if row.body_changed_at is not None:
            at = max(at, row.body_changed_at + timedelta(seconds=1))
        row.body_digest, row.body_changed_at = digest, at
        row.save(update_fields=["body_digest", "body_changed_at"])
    return at


def may_read(user: User) -> bool:
    """Whether the user may see bookings at all: tenants' people and those of the base."""
    return user.is_active and (user.tenant_id is not None or user.role in READERS)


def _still_theirs(feed: CalendarFeed) -> bool:
    """Whether who made the feed is still there, in the same place, and may still see it."""
    maker = feed.created_by
    return may_read(maker) and maker.tenant_id == feed.viewer_id


def digest_of(token: str) -> str:
    """The only form in which a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _token(user: User, key: str) -> str:
    told = f"calendar-feed {user.pk} {key}".encode()
    return TOKEN_PREFIX + hmac.new(settings.SECRET_KEY.encode(), told, "sha256").hexdigest()


def _wish(feed: CalendarFeed) -> FeedWish:
    return FeedWish(name=feed.name, scope=feed.scope, tenant=feed.tenant, space=feed.space)


def _record(feed: CalendarFeed, deed: str, user: User, now: datetime) -> None:
    audit.record(
        actor=user.actor,
        action=f"calendar_feed.{deed}",
        object_type="calendar_feed",
        object_code=feed.prefix,
        after={
            "scope": feed.scope,
            "tenant": feed.tenant.code if feed.tenant else None,
            "space": feed.space.code if feed.space else None,
        },
        now=now,
    )
