"""Reads about what was used and what failed: energy, live sessions, proven outages."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from base_ops.core.models import Space
from base_ops.core.spans import Span
from devices.domain import energy, outages, sessions
from devices.domain.outages import Cause, Spell
from devices.domain.sessions import Part, Session
from devices.models import Device, EnergyReading, Outage, StreamSession
from devices.models.registry import DeviceStatus

READING_MARGIN = timedelta(minutes=15)
# A session may have begun long before the time that is asked about.
LONGEST_SESSION = timedelta(hours=36)
_HOUSE = "house"  # house lights are for people, not for the picture


@dataclass(frozen=True, slots=True)
class Energy:
    """What meters counted, each by code, and how well the sum is founded."""

    span: Span
    meters: Mapping[str, energy.Account]

    @property
    def wh(self) -> int | None:
        """The sum of what is known; None when nothing is."""
        known = [a.wh for a in self.meters.values() if a.wh is not None]
        return round(sum(known)) if known else None

    @property
    def quality(self) -> energy.Quality:
        """That of the weakest meter; one of which nothing is known leaves the sum partial."""
        found = energy.worst([a.quality for a in self.meters.values()])
        unknown = found is energy.Quality.UNKNOWN and self.wh is not None
        return energy.Quality.PARTIAL if unknown else found


def space_energy(space: Space, span: Span) -> Energy:
    """What the meters of a space counted within a span."""
    return _energy(Device.objects.filter(space=space, role="meter"), span)


def device_energy(device: Device, span: Span) -> Energy:
    """What one meter counted within a span."""
    return _energy(Device.objects.filter(pk=device.pk), span)


def _energy(meters: QuerySet[Device], span: Span) -> Energy:
    found = dict(meters.order_by("code").values_list("pk", "code"))
    around = (span.start - READING_MARGIN, span.end + READING_MARGIN)
    rows = EnergyReading.objects.filter(device_id__in=found, at__range=around)
    readings: dict[int, list[energy.Reading]] = defaultdict(list)
    for pk, at, wh in rows.order_by("device_id", "at").values_list("device_id", "at", "wh"):
        readings[pk].append(energy.Reading(at, wh))
    return Energy(span, {c: energy.account(readings[pk], span) for pk, c in found.items()})


def live_sessions(space: Space, span: Span, *, now: datetime) -> list[Session]:
    """The shows of a room that were on air within a span, each whole, in order."""
    rows = (
        StreamSession.objects.filter(space=space)
        .filter(started_at__lt=span.end + LONGEST_SESSION)
        .filter(started_at__gte=span.start - LONGEST_SESSION)
    )
    parts = [part for row in rows if (part := _part(row, now)) is not None]
    return [s for s in sessions.sessions(parts) if s.span.overlaps(span)]


def _part(row: StreamSession, now: datetime) -> Part | None:
    end = row.ended_at or row.lost_at or now
    if end <= row.started_at:
        return None
    running = row.ended_at is None and row.lost_at is None
    return Part(Span(row.started_at, end), row.booking_code, running)


@dataclass(frozen=True, slots=True)
class RoomOutages:
    """When a room could not go live, and each device's spell that this rests on or that was."""

    within: Span
    out: Sequence[Span]
    spells: Sequence[Spell]

    @property
    def minutes(self) -> int:
        """Proven minutes."""
        return outages.minutes(self.out)


def room_outages(space: Space, span: Span, *, now: datetime) -> RoomOutages:
    """What failed in a room within a span, up to now: its devices and the base's network."""
    until = min(span.end, now)
    if until <= span.start:
        return RoomOutages(span, (), ())
    within = Span(span.start, until)
    devices = Device.objects.filter(status=DeviceStatus.ACTIVE).filter(
        Q(space=space, kind__in=outages.NEEDED) & ~Q(role=_HOUSE) | Q(kind="network")
    )
    kinds = dict(devices.values_list("pk", "kind"))
    rows = (
        Outage.objects.select_related("device")
        .filter(device_id__in=kinds, began_at__lt=within.end)
        .exclude(ended_at__lte=within.start)
        .order_by("began_at", "pk")
    )
    spells = [spell for row in rows if (spell := _spell(row, now)) is not None]
    out = outages.room_out(spells, sizes=Counter(kinds.values()), within=within)
    return RoomOutages(within, out, spells)


def _spell(row: Outage, now: datetime) -> Spell | None:
    end = row.ended_at or now
    if end <= row.began_at:
        return None
    return Spell(
        device=row.device.code,
        kind=row.device.kind,
        cause=Cause(row.cause),
        span=Span(row.began_at, end),
        evidence=row.evidence,
        running=row.ended_at is None,
    )
