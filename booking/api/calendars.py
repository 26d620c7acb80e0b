"""Calendar feeds: make one, list them, revoke one; booking/feeds.py is where they are read."""

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Status

from base_ops.core import auth, clock, errors
from base_ops.core.idempotency import IdempotencyHeader
from base_ops.core.models import Space, Tenant
from base_ops.core.problems import Problem, codes_4xx
from booking.api import common
from booking.schemas.calendars import FeedIn, FeedOut, NewFeedOut, feed_out
from booking.selectors.feeds import feeds_for
from booking.services import feeds

router = Router(tags=["calendars"])


@router.get("/calendar-feeds", response={200: list[FeedOut], codes_4xx: Problem})
def list_feeds(request: HttpRequest) -> list[FeedOut]:
    """One's own feeds; all of the tenant's for who heads it; all for managers. Newest first."""
    rows = feeds_for(auth.user_of(request)).order_by("-created_at", "-pk")
    return [feed_out(row) for row in rows[:500]]


@router.post("/calendar-feeds", response={201: NewFeedOut, codes_4xx: Problem})
def create_feed(
    request: HttpRequest, wish: FeedIn, idempotency_key: IdempotencyHeader
) -> Status[NewFeedOut]:
    """Make a feed; its secret address is shown this once. The same key makes the same feed."""
    token, feed = feeds.create_feed(
        wish=_wish(request, wish), user=auth.user_of(request), key=idempotency_key, now=clock.now()
    )
    path = reverse("calendar-feed", args=[token])
    shown = NewFeedOut(
        **feed_out(feed).model_dump(), token=token, url=request.build_absolute_uri(path)
    )
    return Status(201, shown)


@router.delete("/calendar-feeds/{int:feed_id}", response={204: None, codes_4xx: Problem})
def revoke_feed(request: HttpRequest, feed_id: int) -> Status[None]:
    """End a feed at once: its address is then as unknown as any other."""
    user = auth.user_of(request)
    feed = feeds_for(user).filter(pk=feed_id).first()
    if feed is None:
        raise feeds.FeedNotFound(f"no feed {feed_id}")
    feeds.revoke_feed(feed=feed, user=user, now=clock.now())
    return Status(204, None)


def _wish(request: HttpRequest, wish: FeedIn) -> feeds.FeedWish:
    """The rows that the wish names; what its scope does not need must be absent."""
    tenant: Tenant | None = None
    space: Space | None = None
    if wish.scope != "tenant" and wish.tenant is not None:
        raise _superfluous("tenant")
    if wish.scope != "space" and wish.space is not None:
        raise _superfluous("space")
    if wish.scope == "tenant":
        tenant = common.tenant_of(auth.user_of(request), wish.tenant)
    if wish.scope == "space":
        space = Space.objects.filter(code=wish.space).first() if wish.space else None
        if space is None:
            raise common.UnknownSpace(
                wish.space or "", fields=[common.fault("space", common.UnknownSpace)]
            )
    return feeds.FeedWish(name=wish.name, scope=wish.scope, tenant=tenant, space=space)


def _superfluous(name: str) -> errors.Invalid:
    fault = errors.FieldFault(name, "该范围不需要此项", "this scope takes none")
    return errors.Invalid(f"{name} does not belong to this scope", fields=[fault])
