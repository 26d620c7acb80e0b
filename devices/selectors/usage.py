"""Reads about what was used and what failed: energy, live sessions, proven outages."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from base_ops.core.models import Space
from base_ops.core.spans import Span
from devices.domain import energy, outages, sessions
from devices.domain.outages import Cause, Spell
from devices.domain.sessions import Part, Session
from devices.models import Device, EnergyReading, Mounting, Outage, StreamSession
from devices.models.registry import DeviceStatus
from devices.selectors import places

READING_MARGIN = timedelta(minutes=15)
# A session may have begun long before the time that is asked about.
LONGEST_SESSION = timedelta(hours=36)
_METER = "meter"
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
    """What the meters of a space counted within a span, each while it hung there."""
    parts = places.mounted(space_id=space.pk, role=_METER, span=span)
    hanging = Mounting.objects.filter(until=None).values("device_id")
    loose = Device.objects.filter(space=space, role=_METER).exclude(pk__in=hanging)
    return _energy([*parts, *((pk, span) for pk in loose.values_list("pk", flat=True))], span)


def device_energy(device: Device, span: Span) -> Energy:
    """What one meter counted within a span."""
    return _energy([(device.pk, span)], span)


def _energy(parts: Sequence[tuple[int, Span]], span: Span) -> Energy:
    ids = {pk for pk, _ in parts}
    found = dict(Device.objects.filter(pk__in=ids).order_by("code").values_list("pk", "code"))
    around = (span.start - READING_MARGIN, span.end + READING_MARGIN)
    rows = EnergyReading.objects.filter(device_id__in=found, at__range=around)
    readings: dict[int, list[energy.Reading]] = defaultdict(list)
    for pk, at, wh in rows.order_by("device_id", "at").values_list("device_id", "at", "wh"):
        readings[pk].append(energy.Reading(at, wh))
    accounts: dict[str, energy.Account] = {}
    for pk, part in parts:
        again = sum(name.partition("#")[0] == found[pk] for name in accounts)
        name = f"{found[pk]}#{again + 1}" if again else found[pk]
        accounts[name] = energy.account(readings[pk], part)
    return Energy(span, dict(sorted(accounts.items())))


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
