"""The caller's inbox and wishes."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.notifications import inbox, preferring
from base_ops.core.notifications.schemas import (
    NoticeOut,
    NoticePage,
    PreferencesIn,
    PreferencesOut,
    ReadMarks,
    UnreadOut,
)
from base_ops.core.pages import cut
from base_ops.core.problems import Problem, codes_4xx

router = Router(tags=["notifications"])


@router.get("/me/notices", response={200: NoticePage, codes_4xx: Problem})
def list_notices(
    request: HttpRequest,
    unread: bool = False,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """The caller's notices, newest first; the live topic notices.<user id> says when to read."""
    user = auth.user_of(request)
    rows = inbox.items_of(user)
    if unread:
        rows = rows.filter(read_at__isnull=True)
    items, following = cut(rows, by="created_at", descending=True, cursor=cursor, limit=limit)
    return {
        "items": [NoticeOut.of(item) for item in items],
        "next": following,
        "unread": inbox.unread([user.pk])[user.pk],
    }


@router.post("/me/notices/read", response={200: UnreadOut, codes_4xx: Problem})
@idempotent
def read_notices(
    request: HttpRequest, wish: ReadMarks, idempotency_key: IdempotencyHeader
) -> Status[UnreadOut]:
    """Mark notices as read: those with the given ids, or all (ids null)."""
    left = inbox.mark_read(user=auth.user_of(request), ids=wish.ids, now=clock.now())
    return Status(200, UnreadOut(unread=left))


@router.get("/me/notice-preferences", response={200: PreferencesOut, codes_4xx: Problem})
def read_preferences(request: HttpRequest, response: HttpResponse) -> dict[str, object]:
    """What the caller is told by which channel, and the quiet hours."""
    row = preferring.of(auth.user_of(request))
    response["ETag"] = etags.etag_of(row.version)
    return preferring.shown(row)


@router.put("/me/notice-preferences", response={200: PreferencesOut, codes_4xx: Problem})
def change_preferences(
    request: HttpRequest, response: HttpResponse, wish: PreferencesIn
) -> dict[str, object]:
    """Replace the caller's wishes; needs If-Match."""
    row = preferring.change(
        user=auth.user_of(request),
        choices={kind: c.model_dump(exclude_none=True) for kind, c in wish.choices.items()},
        quiet_from=wish.quiet_from,
        quiet_to=wish.quiet_to,
        check=lambda version: etags.require_match(request, version),
    )
    response["ETag"] = etags.etag_of(row.version)
    return preferring.shown(row)
