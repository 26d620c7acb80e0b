"""What a space is doing at one instant: pure projection of blocks, bookings and device facts.

The first rule that holds wins: on air (live, or ending near its end) · lost sight of the encoder
during a booking (unknown) · blackout · teardown · setup · booked · free.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from base_ops.core.spans import Span

ENDING = timedelta(minutes=5)
SOON = timedelta(minutes=30)


class Occupied(StrEnum):
    """The eight faces of a space; see UI.md, "Status"."""

    FREE = "free"
    BOOKED = "booked"
    SETUP = "setup"
    LIVE = "live"
    ENDING = "ending"
    TURNOVER = "turnover"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Who:
    """The tenant shown to those who may know."""

    code: str
    name_zh: str
    name_en: str
    short_zh: str = ""

    def as_json(self) -> dict[str, str]:
        """The shape of `tenant` in an occ value."""
        return {
            "code": self.code,
            "short_zh": self.short_zh,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
        }


@dataclass(frozen=True, slots=True)
class Show:
    """One booking as far as occupancy cares; `span` runs to the end with overtime."""

    code: str
    tenant: Who
    title: str
    span: Span
    status: str
    prepared: bool = False
    ready: str | None = None
    reasons: tuple[dict[str, Any], ...] = ()
    warned: int = 0
    late_until: datetime | None = None  # the show before still runs: free then at the soonest


@dataclass(frozen=True, slots=True)
class Block:
    """One active allocation: `show` for a booking, `tenant` for a lease."""

    span: Span
    kind: str
    show: Show | None = None
    tenant: Who | None = None
    unit: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the space itself."""

    code: str
    streams: bool = False
    unit_count: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The devices of the space; `link_known` is false when an encoder is silent."""

    total: int = 0
    online: int = 0
    stale: int = 0
    offline: int = 0
    alarms: int = 0
    on_air: bool = False
    on_air_since: datetime | None = None
    link_known: bool = True


@dataclass(frozen=True, slots=True)
class Occ:
    """The value of one space on the occupancy topics."""

    status: Occupied
    since: datetime | None
    until: datetime | None
    health: Health
    show: Show | None = None
    tenant: Who | None = None
    next: Show | None = None
    units: tuple[int, int] | None = None

    def full(self) -> dict[str, Any]:
        """What the base itself sees (occ.ops)."""
        show, who = self.show, self.show.tenant if self.show else self.tenant
        return self.public() | {
            "booking": show.code if show else None,
            "tenant": who.as_json() if who else None,
            "title": show.title if show else None,
            "ready": show.ready if show else None,
            "reasons": list(show.reasons) if show else [],
            "warned_min": show.warned if show else 0,
            "late_until": _text(show.late_until) if show else None,
            "alarms": self.health.alarms,
            "devices": {
                "total": self.health.total,
                "online": self.health.online,
                "stale": self.health.stale,
                "offline": self.health.offline,
            },
            "next": _next_json(self.next),
        }

    def public(self) -> dict[str, Any]:
        """What anybody who is signed in may see: nothing that names a tenant."""
        return {
            "status": str(self.status),
            "since": _text(self.since),
            "until": _text(self.until),
            "on_air": self.health.on_air,
        } | ({"units": {"taken": self.units[0], "total": self.units[1]}} if self.units else {})

    def seen_by(self, tenant_code: str) -> dict[str, Any]:
        """Own bookings in full, those of others as the public sees them."""
        who = self.show.tenant if self.show else self.tenant
        value = self.full() if who and who.code == tenant_code else self.public()
        if self.next is None or self.next.tenant.code != tenant_code:
            value.pop("next", None)
        else:
            value["next"] = _next_json(self.next)
        return value

    @property
    def tenant_codes(self) -> set[str]:
        """The tenants to whom this space shows more than to the public."""
        now_there = self.show.tenant if self.show else self.tenant
        return {w.code for w in (now_there, self.next.tenant if self.next else None) if w}


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the rules look at."""

    place: Place
    current: Block | None
    coming: Block | None
    health: Health
    now: datetime
    blocks: Sequence[Block] = field(default_factory=tuple)


def project(place: Place, blocks: Sequence[Block], health: Health, now: datetime) -> Occ:
    """The value of one space at `now`.

    Args:
        place: the space.
        blocks: its active allocations from now on, in any order; those that are over do no harm.
        health: its devices.
        now: the instant asked for.
    """
    ordered = sorted(blocks, key=lambda b: (b.span.start, b.unit))
    current = next((b for b in ordered if b.span.contains(now)), None)
    coming = next((b for b in ordered if b.span.start > now), None)
    scene = _Scene(place, current, coming, health, now, ordered)
    if place.unit_count:
        return _of_units(scene)
    for rule in (_on_air, _unknown, _without_booking, _around, _in_use, _soon):
        if (occ := rule(scene)) is not None:
            return occ
    return _occ(scene, Occupied.FREE, None, coming.span.start if coming else None)


def _on_air(s: _Scene) -> Occ | None:
    if not s.health.on_air:
        return None
    show = s.current.show if s.current else None
    since = s.health.on_air_since
    if show is None:
        return _occ(s, Occupied.LIVE, since, None)
    if s.now >= show.span.end - ENDING:
        return _occ(s, Occupied.ENDING, show.span.end - ENDING, show.span.end)
    return _occ(s, Occupied.LIVE, since, show.span.end)


def _unknown(s: _Scene) -> Occ | None:
    """A silent encoder matters while somebody may be streaming with it."""
    show = s.current.show if s.current else None
    matters = show is not None and show.status == "checked_in"
    if s.health.link_known or not s.place.streams or not matters:
        return None
    return _occ(s, Occupied.UNKNOWN, None, show.span.end if show else None)


def _without_booking(s: _Scene) -> Occ | None:
    if s.current is None or s.current.show is not None:
        return None
    status = Occupied.BLOCKED if s.current.kind == "blackout" else Occupied.BOOKED
    return _occ(s, status, s.current.span.start, s.current.span.end)


def _around(s: _Scene) -> Occ | None:
    """Before the booking starts, and after it is over."""
    if s.current is None or (show := s.current.show) is None:
        return None
    if show.status == "completed" or s.now >= show.span.end:
        return _occ(s, Occupied.TURNOVER, show.span.end, s.current.span.end)
    if s.now < show.span.start and show.status != "checked_in":
        return _occ(s, Occupied.SETUP, s.current.span.start, show.span.start)
    return None


def _in_use(s: _Scene) -> Occ | None:
    if s.current is None or (show := s.current.show) is None:
        return None
    if show.status != "checked_in":
        return _occ(s, Occupied.BOOKED, show.span.start, show.span.end)
    if s.now >= show.span.end - ENDING:
        return _occ(s, Occupied.ENDING, show.span.end - ENDING, show.span.end)
    # A classroom in use never goes on air; a studio that is not (yet) on air is setting up.
    status = Occupied.SETUP if s.place.streams else Occupied.BOOKED
    return _occ(s, status, None, show.span.end)


def _soon(s: _Scene) -> Occ | None:
    block = s.coming
    if block is None or (show := block.show) is None or show.status == "held":
        return None
    if show.prepared:
        return _occ(s, Occupied.SETUP, None, show.span.start, show)
    if s.now >= block.span.start - SOON:
        return _occ(s, Occupied.BOOKED, block.span.start - SOON, show.span.start, show)
    return None


def _of_units(s: _Scene) -> Occ:
    """Many small resources: taken when all are; no single tenant to show."""
    total = s.place.unit_count or 0
    taken = len({b.unit for b in s.blocks if b.span.contains(s.now)})
    status = Occupied.BOOKED if taken >= total else Occupied.FREE
    if s.health.on_air:
        status = Occupied.LIVE
    return Occ(status, None, None, s.health, units=(taken, total))


def _occ(
    s: _Scene,
    status: Occupied,
    since: datetime | None,
    until: datetime | None,
    show: Show | None = None,
) -> Occ:
    current = show or (s.current.show if s.current else None)
    tenant = s.current.tenant if s.current else None
    following = next(
        (b.show for b in s.blocks if b.show and b.span.start > s.now and b.show != current), None
    )
    return Occ(status, since, until, s.health, current, tenant, following)


def _next_json(show: Show | None) -> dict[str, Any] | None:
    if show is None:
        return None
    return {
        "booking": show.code,
        "starts_at": _text(show.span.start),
        "tenant": show.tenant.as_json(),
        "late_until": _text(show.late_until),
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
