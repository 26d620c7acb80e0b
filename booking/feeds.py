"""The door of calendar programs: /calendars/<token>.ics, no sign-in, only what the token names."""

import hashlib
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

from base_ops.core import clock, problems
from booking.domain import ics
from booking.models import CalendarFeed
from booking.selectors import feeds as shown
from booking.services import feeds as deeds


@require_safe
def serve(request: HttpRequest, token: str) -> HttpResponse:
    """The feed; 304 for who has it already; 404 for a token unknown, revoked or orphaned alike."""
    now = clock.now()
    try:
        feed = deeds.open_feed(token=token, now=now)
    except deeds.ReadTooOften as exc:
        refusal = problems.domain_error(request, exc)
        refusal["Retry-After"] = str(exc.context["retry_after_s"])
        return refusal
    if feed is None:
        return problems.page_not_found(request, LookupError())
    body = _written(request, feed, now=now)
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    changed_at = deeds.changed_at(feed=feed, body=body, now=now)
    response = _answer(request, body, etag, changed_at)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(changed_at.timestamp())
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return response


def _written(request: HttpRequest, feed: CalendarFeed, *, now: datetime) -> bytes:
    origin = shown.Origin(
        site=request.build_absolute_uri("/").rstrip("/"),
        feed=request.build_absolute_uri(request.path),
    )
    events = shown.events(feed, origin=origin, now=now)
    return ics.write(shown.head(feed, events, origin=origin), events)


def _answer(request: HttpRequest, body: bytes, etag: str, changed_at: datetime) -> HttpResponse:
    """The whole text, or 304; If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        same = known.strip() == "*" or etag in {
            tag.strip().removeprefix("W/") for tag in known.split(",")
        }
    else:
        since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        same = since is not None and changed_at.timestamp() <= since
    if same:
        return HttpResponseNotModified()
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="bookings.ics"'
    return response
