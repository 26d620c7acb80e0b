"""The displays on the wall: made, recognised by their token, revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Site
from booking.models import WallDisplay

PREFIX = "wall_"
MAX_WALLS = 20
TOUCH_EVERY = timedelta(minutes=1)


class TooManyWalls(errors.Conflict):
    """The base has as many wall displays as allowed."""

    code, title_zh, title_en = (
        "too_many_walls",
        "大屏数量已达上限",
        "No more wall displays allowed",
    )


def add_wall(*, name: str, actor: Actor, now: datetime) -> tuple[str, WallDisplay]:
    """Make a token for a screen on the wall; the clear text is returned this once.

    Raises:
        TooManyWalls: there are twenty.
    """
    with transaction.atomic():
        list(Site.objects.select_for_update(no_key=True).values_list("pk", flat=True))
        if WallDisplay.objects.filter(revoked_at__isnull=True).count() >= MAX_WALLS:
            raise TooManyWalls(limit=MAX_WALLS)
        token = PREFIX + secrets.token_urlsafe(32)
        row = WallDisplay.objects.create(
            name=name,
            prefix=token[:10],
            digest=_digest(token),
            created_by=actor.label,
            created_at=now,
        )
        _record(row, "add", actor=actor, now=now)
    return token, row


def revoke_wall(*, wall: WallDisplay, actor: Actor, now: datetime) -> WallDisplay:
    """End a wall's token at once; again is harmless."""
    with transaction.atomic():
        row = WallDisplay.objects.select_for_update().get(pk=wall.pk)
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            _record(row, "revoke", actor=actor, now=now)
    return row


def wall_of_token(token: str, *, now: datetime) -> WallDisplay | None:
    """The wall behind a token, or None when it is unknown or revoked."""
    if not token.startswith(PREFIX):
        return None
    found = WallDisplay.objects.filter(digest=_digest(token), revoked_at__isnull=True).first()
    if found is None:
        return None
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - TOUCH_EVERY)
    WallDisplay.objects.filter(stale, pk=found.pk).update(last_used_at=now)
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(row: WallDisplay, deed: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=f"wall_display.{deed}",
        object_type="wall_display",
        object_code=row.prefix,
        after={"name": row.name},
        now=now,
    )
