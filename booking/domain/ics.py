"""Writes calendars for subscribers: RFC 5545 with RFC 7986, the same bytes each time.

A subscription has no METHOD. Everything in it follows from its arguments, so that a digest of the
text is a strong validator.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import icalendar
from icalendar import vDDDTypes, vText, vUri

from base_ops.core.spans import Span
from booking.domain.rules import ZONE

PRODUCT = "-//base-ops//Livestream base bookings//ZH"
REFRESH = timedelta(minutes=15)
# China has had one offset since 1991. Written by hand: the zone database also knows the summer
# times before, of which no booking can tell.
TIMEZONE = """BEGIN:VTIMEZONE\r
TZID:Asia/Shanghai\r
BEGIN:STANDARD\r
DTSTART:19910915T010000\r
TZNAME:CST\r
TZOFFSETFROM:+0900\r
TZOFFSETTO:+0800\r
END:STANDARD\r
END:VTIMEZONE\r
"""


class Mark(StrEnum):
    """How sure an event is (the STATUS of RFC 5545)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a calendar; `changed_at` is when its meaning last changed."""

    uid: str
    span: Span
    summary: str
    mark: Mark
    changed_at: datetime
    sequence: int = 0
    created_at: datetime | None = None
    description: str = ""
    location: str = ""
    categories: Sequence[str] = ()
    url: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What a calendar says of itself; `color` is a CSS3 name."""

    uid: str
    name: str
    description: str
    color: str
    source: str
    url: str
    changed_at: datetime


def write(head: Head, events: Iterable[Event]) -> bytes:
    """The calendar as text/calendar in UTF-8."""
    calendar = icalendar.Calendar()
    for name, value in _properties(head):
        calendar.add(name, value)
    calendar.add("REFRESH-INTERVAL", vDDDTypes(REFRESH), {"VALUE": "DURATION"})
    calendar.add("SOURCE", vUri(head.source), {"VALUE": "URI"})
    calendar.add_component(icalendar.Timezone.from_ical(TIMEZONE))
    for event in events:
        calendar.add_component(_event(event))
    text: bytes = calendar.to_ical(sorted=False)
    # Names have no case (RFC 5545, 2), and vdirsyncer takes the first "UID:" it reads for that of
    # the event: with the calendar's own in capitals, every event would be one and the same.
    return text.replace(b"\r\nUID:", b"\r\nuid:", 1)


def _properties(head: Head) -> list[tuple[str, Any]]:
    """RFC 7986's properties, and what older clients read instead of them."""
    return [
        ("VERSION", "2.0"),
        ("PRODID", PRODUCT),
        ("CALSCALE", "GREGORIAN"),
        ("UID", head.uid),
        ("NAME", plain(head.name)),
        ("X-WR-CALNAME", plain(head.name)),
        ("DESCRIPTION", plain(head.description)),
        ("X-WR-CALDESC", plain(head.description)),
        ("X-WR-TIMEZONE", ZONE.key),
        ("COLOR", head.color),
        ("LAST-MODIFIED", _utc(head.changed_at)),
        ("URL", vUri(head.url)),
        ("X-PUBLISHED-TTL", vDDDTypes(REFRESH)),
    ]


def _event(event: Event) -> icalendar.Event:
    row = icalendar.Event()
    row.add("UID", event.uid)
    row.add("DTSTAMP", _utc(event.changed_at))
    row.add("LAST-MODIFIED", _utc(event.changed_at))
    if event.created_at is not None:
        row.add("CREATED", _utc(event.created_at))
    row.add("SEQUENCE", event.sequence)
    row.add("DTSTART", event.span.start.astimezone(ZONE))
    row.add("DTEND", event.span.end.astimezone(ZONE))
    row.add("SUMMARY", plain(event.summary))
    row.add("STATUS", event.mark)
    row.add("TRANSP", "TRANSPARENT" if event.mark is Mark.CANCELLED else "OPAQUE")
    for name, text in (("DESCRIPTION", event.description), ("LOCATION", event.location)):
        if text:
            row.add(name, plain(text))
    if event.categories:
        row.add("CATEGORIES", [plain(c) for c in event.categories])
    if event.url:
        row.add("URL", vUri(event.url))
    if event.color:
        row.add("COLOR", event.color)
    return row


def plain(text: str) -> vText:
    """The text without control characters, which RFC 5545 forbids; line breaks stay."""
    lines = "\n".join(text.splitlines())
    return vText("".join(c for c in lines if c == "\n" or unicodedata.category(c) != "Cc"))


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)
