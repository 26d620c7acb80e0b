"""What a wish must respect before anybody looks for a free slot; all that is broken is named."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from base_ops.core.errors import FieldFault, Invalid
from base_ops.core.spans import Span

ZONE = ZoneInfo("Asia/Shanghai")
MAX_LENGTH = timedelta(hours=24)
HORIZON = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Room:
    """What the rules need to know of a space and its type."""

    code: str
    bookable: bool
    capacity: int
    unit_count: int | None
    slot_min: int
    min_min: int


@dataclass(frozen=True, slots=True)
class Renter:
    """What the rules need to know of a tenant."""

    code: str
    rating: str
    active: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for."""

    span: Span
    headcount: int
    units: int = 1


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken rule: its limit, and what would be accepted."""

    code: str
    field: str
    limit: Any
    accepted: Any
    reason_zh: str
    reason_en: str
    overridable: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the answer's `broken` list."""
        return {
            "rule": self.code,
            "field": self.field,
            "limit": self.limit,
            "accepted": self.accepted,
            "overridable": self.overridable,
        }


class RulesBroken(Invalid):
    """One or more rules are broken; `fields` and `broken` list all of them."""

    code = "rules_broken"
    title_zh = "不符合预订规则"
    title_en = "The booking breaks a rule"


def check(
    wish: Wish, room: Room, renter: Renter, *, now: datetime, override: Collection[str] = ()
) -> list[Broken]:
    """The overridable rules that were broken and overridden.

    Raises:
        RulesBroken: any other rule is broken.
    """
    broken = list(broken_rules(wish, room, renter, now=now))
    waived = [b for b in broken if b.overridable and b.code in override]
    if refused := [b for b in broken if b not in waived]:
        raise RulesBroken(
            ", ".join(b.code for b in refused),
            fields=[FieldFault(b.field, b.reason_zh, b.reason_en) for b in refused],
            broken=[b.as_json() for b in refused],
        )
    return waived


def broken_rules(wish: Wish, room: Room, renter: Renter, *, now: datetime) -> Iterator[Broken]:
    """Every broken rule, those of time first."""
    yield from _time_rules(wish.span, room, now)
    yield from _room_rules(wish, room)
    yield from _renter_rules(renter)


def _time_rules(span: Span, room: Room, now: datetime) -> Iterator[Broken]:
    slot = timedelta(minutes=room.slot_min)
    if span.start <= now - slot:
        soonest = ceil_to_grid(now, room.slot_min).isoformat()
        yield Broken(
            "not_in_past", "starts_at", soonest, soonest,
            "开始时间已过", "The start has passed",
        )  # fmt: skip
    for name, instant in (("starts_at", span.start), ("ends_at", span.end)):
        if (nearest := floor_to_grid(instant, room.slot_min)) != instant:
            yield Broken(
                "slot_grid", name, room.slot_min, nearest.isoformat(),
                f"须为 {room.slot_min} 分钟的整数倍",
                f"Must lie on a grid of {room.slot_min} minutes", overridable=True,
            )  # fmt: skip
    if span.length < timedelta(minutes=room.min_min):
        accepted = (span.start + timedelta(minutes=room.min_min)).isoformat()
        yield Broken(
            "min_length", "ends_at", room.min_min, accepted,
            f"最短 {room.min_min} 分钟", f"At least {room.min_min} minutes", overridable=True,
        )  # fmt: skip
    if span.length > MAX_LENGTH:
        yield Broken(
            "max_length", "ends_at", 1440, (span.start + MAX_LENGTH).isoformat(),
            "最长 24 小时", "At most 24 hours", overridable=True,
        )  # fmt: skip
    if span.start > now + HORIZON:
        latest = (now + HORIZON).isoformat()
        yield Broken(
            "horizon", "starts_at", HORIZON.days, latest,
            f"最多提前 {HORIZON.days} 天预订", f"At most {HORIZON.days} days ahead",
            overridable=True,
        )  # fmt: skip


def _room_rules(wish: Wish, room: Room) -> Iterator[Broken]:
    if not room.bookable:
        yield Broken(
            "bookable", "space", False, None, "该空间不可按时预订", "This space cannot be booked"
        )
    if not 1 <= wish.headcount <= room.capacity:
        yield Broken(
            "capacity", "headcount", room.capacity, room.capacity,
            f"人数须为 1 至 {room.capacity}", f"Between 1 and {room.capacity} people",
        )  # fmt: skip
    most = room.unit_count or 1
    if not 1 <= wish.units <= most:
        yield Broken(
            "units", "units", most, most, f"数量须为 1 至 {most}", f"Between 1 and {most} units"
        )


def _renter_rules(renter: Renter) -> Iterator[Broken]:
    """P14, the compliance gate of the policies: rating D suspends booking."""
    if renter.rating == "D" or not renter.active:
        yield Broken(
            "suspended", "tenant", "C", None,
            "合规评级为 D 或账户停用,暂停预订(P14)", "Booking is suspended (rating D, policy P14)",
        )  # fmt: skip


def floor_to_grid(instant: datetime, step_min: int) -> datetime:
    """The last grid instant <= `instant`; the grid counts from local midnight."""
    local = instant.astimezone(ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=step_min)
    return (midnight + (local - midnight) // step * step).astimezone(instant.tzinfo)


def ceil_to_grid(instant: datetime, step_min: int) -> datetime:
    """The first grid instant >= `instant`."""
    floor = floor_to_grid(instant, step_min)
    return floor if floor == instant else floor + timedelta(minutes=step_min)
