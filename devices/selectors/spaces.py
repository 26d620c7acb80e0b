"""Reads about spaces: on air, health, the ready light, energy, minutes on air."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from base_ops.core.models import Space
from base_ops.core.spans import Span, merged
from devices.domain import ready
from devices.domain import shadow as shadows
from devices.domain.interlock import OnAir
from devices.domain.ready import Ready
from devices.domain.shadow import Link
from devices.models import Alarm, Device, StreamSession
from devices.models.registry import DeviceStatus
from devices.selectors import usage

# An encoder that is gone may stream on unseen: the interlock trusts its last word this long.
LOST_COUNTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SpaceHealth:
    """The devices of a space in numbers."""

    total: int = 0
    online: int = 0
    stale: int = 0
    offline: int = 0
    alarms: int = 0
    on_air: bool = False
    on_air_since: datetime | None = None


def on_air_space_ids() -> set[int]:
    """Spaces where an encoder reports that it streams."""
    rows = StreamSession.objects.filter(ended_at=None, lost_at=None)
    return set(rows.values_list("space_id", flat=True))


def on_air_of(space_ids: Iterable[int], *, now: datetime) -> dict[int, OnAir]:
    """The shows as the interlock sees them, lost encoders included for ten minutes.

    The room is on air until the latest end of its encoders; one without an end has none.
    """
    rows = StreamSession.objects.filter(space_id__in=list(space_ids), ended_at=None).filter(
        Q(lost_at=None) | Q(lost_at__gt=now - LOST_COUNTS)
    )
    result: dict[int, OnAir] = {}
    for row in rows:
        show = OnAir(since=row.started_at, until=row.until)
        other = result.get(row.space_id)
        result[row.space_id] = _both(show, other) if other else show
    return result


def _both(a: OnAir, b: OnAir) -> OnAir:
    until = None if a.until is None or b.until is None else max(a.until, b.until)
    return OnAir(since=min(a.since, b.since), until=until)


def space_health(space_ids: Iterable[int], now: datetime) -> dict[int, SpaceHealth]:
    """The health of each space; one without devices is all zeros."""
    ids = list(space_ids)
    links: dict[int, list[Link]] = {pk: [] for pk in ids}
    rows = Device.objects.filter(space_id__in=ids, status=DeviceStatus.ACTIVE).values_list(
        "space_id", "shadow__link", "shadow__last_seen_at"
    )
    for space_id, link, seen_at in rows:
        known = Link(link) if link else Link.UNKNOWN
        links[space_id].append(shadows.link_at(known, seen_at, now))
    since = _on_air_since(ids)
    alarms = _open_alarms(ids)
    return {
        pk: SpaceHealth(
            total=len(found),
            online=found.count(Link.ONLINE),
            stale=found.count(Link.STALE),
            offline=found.count(Link.OFFLINE),
            alarms=alarms.get(pk, 0),
            on_air=pk in since,
            on_air_since=since.get(pk),
        )
        for pk, found in links.items()
    }


def _on_air_since(ids: list[int]) -> dict[int, datetime]:
    rows = StreamSession.objects.filter(space_id__in=ids, ended_at=None, lost_at=None)
    since: dict[int, datetime] = {}
    for space_id, started_at in rows.values_list("space_id", "started_at"):
        since[space_id] = min(started_at, since.get(space_id, started_at))
    return since


def _open_alarms(ids: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    rows = Alarm.objects.filter(space_id__in=ids, cleared_at=None)
    for space_id in rows.values_list("space_id", flat=True):
        if space_id is not None:
            counts[space_id] = counts.get(space_id, 0) + 1
    return counts


def ready_light(*, space: Space, now: datetime) -> Ready:
    """Can this room go live? Power, lights, camera, encoder and an uplink of the base."""
    active = Device.objects.filter(status=DeviceStatus.ACTIVE).select_related("model", "shadow")
    room = [_seen(d, now) for d in active.filter(space=space)]
    uplinks = [_seen(d, now) for d in active.filter(kind="network")]
    return ready.light(room, uplinks)


def _seen(device: Device, now: datetime) -> ready.Seen:
    shadow = getattr(device, "shadow", None)
    link = Link(shadow.link) if shadow else Link.UNKNOWN
    return ready.Seen(
        code=device.code,
        kind=device.kind,
        role=device.role,
        model=device.model.code if device.model else "",
        link=shadows.link_at(link, shadow.last_seen_at if shadow else None, now),
        reported=shadow.reported if shadow else {},
    )


def energy_wh(*, space: Space, span: Span) -> int | None:
    """What the meters of the space counted within the span; None without readings."""
    return usage.space_energy(space, span).wh


def stream_minutes(*, space: Space, span: Span) -> int:
    """Whole minutes within the span in which some encoder of the space was on air."""
    rows = StreamSession.objects.filter(space=space, started_at__lt=span.end).exclude(
        ended_at__lte=span.start
    )
    parts = []
    for row in rows:
        end = row.ended_at or row.lost_at or span.end
        if end > row.started_at and (part := Span(row.started_at, end).intersect(span)):
            parts.append(part)
    total = sum((part.length for part in merged(parts)), timedelta(0))
    return int(total.total_seconds() // 60)
