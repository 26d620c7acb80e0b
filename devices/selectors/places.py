"""Reads by place: which device hung there when, and what was measured and told meanwhile."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from base_ops.core.spans import Span
from devices.domain.rollups import Bucket
from devices.models import Command, Mounting, Place
from devices.selectors.measured import telemetry

MIN_POINTS = 10


def places(*, space: str = "", kind: str = "", text: str = "") -> QuerySet[Place]:
    """Places by space, kind and a part of their code."""
    rows = Place.objects.select_related("space")
    if space:
        rows = rows.filter(space__code=space)
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(Q(code__icontains=text) | Q(name__icontains=text))
    return rows


def mountings_of(place: Place) -> list[Mounting]:
    """Which devices hung at a place, the latest first."""
    return list(place.mountings.select_related("device__model")[:200])


def hanging(place_ids: Iterable[int]) -> dict[int, Mounting]:
    """The device at each place now."""
    rows = Mounting.objects.filter(place_id__in=list(place_ids), until=None)
    return {row.place_id: row for row in rows.select_related("device__model", "device__shadow")}


def mounted(*, space_id: int, role: str, span: Span) -> list[tuple[int, Span]]:
    """The devices that hung at places of this role in a space, each with its part of a span."""
    rows = Mounting.objects.filter(
        place__space_id=space_id, place__role=role, since__lt=span.end
    ).exclude(until__lte=span.start)
    return [
        (row.device_id, Span(max(row.since, span.start), min(row.until or span.end, span.end)))
        for row in rows.order_by("since", "id")
    ]


def place_telemetry(
    *, place: Place, metric: str, span: Span, points: int, now: datetime
) -> list[tuple[datetime, Bucket, str]]:
    """One metric of a place over time, whichever device hung there; each point names it.

    Of each device so many points as its share of the time is worth.
    """
    found: list[tuple[datetime, Bucket, str]] = []
    for row in _during(place, span):
        part = Span(max(row.since, span.start), min(row.until or span.end, span.end))
        share = max(MIN_POINTS, round(points * (part.length / span.length)))
        measured = telemetry(device=row.device, metric=metric, span=part, points=share, now=now)
        found += [(at, bucket, row.device.code) for at, bucket in measured.points]
    return found


def place_commands(*, place: Place, span: Span) -> QuerySet[Command]:
    """What the devices of a place were told while they hung there."""
    during = Q(pk__in=[])
    for row in _during(place, span):
        end = min(row.until or span.end, span.end)
        during |= Q(
            device_id=row.device_id,
            created_at__gte=max(row.since, span.start),
            created_at__lt=end,
        )
    return Command.objects.select_related("device").filter(during)


def _during(place: Place, span: Span) -> list[Mounting]:
    rows = place.mountings.select_related("device").filter(since__lt=span.end)
    return list(rows.exclude(until__lte=span.start).order_by("since"))
