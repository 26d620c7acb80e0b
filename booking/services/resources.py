"""From a wish to the places it takes: what is needed, what is free, what is lacking."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from base_ops.core import statements
from base_ops.core.errors import FieldFault
from base_ops.core.models import BookingMode, Space
from base_ops.core.spans import Span
from booking import selectors
from booking.domain import rules
from booking.domain.slots import Buffers
from booking.models import Booking, BookingPart, EquipmentPool, EquipmentUnit
from booking.selectors import Taken, TakenAsked
from booking.services import locking
from booking.services.locking import Place
from booking.services.wishes import BookingWish, Extra

NEAR = timedelta(hours=24)
AROUND = timedelta(hours=12)
"""How far a seat's neighbours are looked for; idle time beyond it is all alike."""
MAX_EXTRAS = 20


@dataclass(frozen=True, slots=True)
class Need:
    """So many units of one space or pool for one span."""

    resource: Space | EquipmentPool
    quantity: int
    span: Span
    buffers: Buffers

    @property
    def block(self) -> Span:
        """What is taken, buffers included."""
        return self.buffers.block(self.span)

    @property
    def is_space(self) -> bool:
        """Whether it is a room rather than equipment."""
        return isinstance(self.resource, Space)

    @property
    def ids(self) -> tuple[int | None, int | None]:
        """The space's id, or the pool's."""
        pk = self.resource.pk
        return (pk, None) if self.is_space else (None, pk)

    @property
    def many(self) -> bool:
        """Whether there are several units to choose from."""
        return not isinstance(self.resource, Space) or bool(self.resource.unit_count)


@dataclass(frozen=True, slots=True)
class Lack:
    """A need that is not met: how many are free of those wanted, and what is in the way."""

    need: Need
    free: int
    takings: Sequence[Taken] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Picked:
    """The places for every need, or what is lacking."""

    places: Sequence[Place]
    lacks: Sequence[Lack]


def needs_of(wish: BookingWish) -> list[Need]:
    """The room first, then what is taken beside it.

    Raises:
        rules.RulesBroken: an extra cannot be booked so; names it by its place in the list.
    """
    found = [Need(wish.space, wish.units, wish.span, selectors.buffers(wish.space))]
    if not wish.extras:
        return found
    faults = [fault for i, e in enumerate(wish.extras) for fault in _faults(i, e, wish)]
    if len(wish.extras) > MAX_EXTRAS:
        faults.append(
            FieldFault("extras", f"最多 {MAX_EXTRAS} 项", f"At most {MAX_EXTRAS} extras")
        )
    if faults:
        raise rules.RulesBroken("extras", fields=faults)
    return found + [_need(extra, wish) for extra in wish.extras]


def _need(extra: Extra, wish: BookingWish) -> Need:
    span = extra.span or wish.span
    if extra.space is not None:
        return Need(extra.space, extra.quantity, span, selectors.buffers(extra.space))
    assert extra.pool is not None
    around = Buffers.of_minutes(extra.pool.setup_min, extra.pool.teardown_min)
    return Need(extra.pool, extra.quantity, span, around)


def _faults(index: int, extra: Extra, wish: BookingWish) -> Iterator[FieldFault]:
    name, space, span = f"extras.{index}", extra.space, extra.span or wish.span
    if (space is None) == (extra.pool is None):
        yield FieldFault(name, "须指明空间或器材之一", "Name either a space or a pool")
        return
    if space is not None and space.pk == wish.space.pk:
        yield FieldFault(f"{name}.space", "与主空间相同", "The booking's own space")
    if space is not None and not (space.bookable or space.booking_mode == BookingMode.ATTACHED):
        yield FieldFault(f"{name}.space", "该空间不可预订", "This space cannot be booked")
    most = (space.unit_count or 1) if space is not None else 1000
    if not 1 <= extra.quantity <= most:
        yield FieldFault(f"{name}.quantity", f"须为 1 至 {most}", f"Between 1 and {most}")
    if not wish.span.widened(before=NEAR, after=NEAR).encloses(span):
        yield FieldFault(f"{name}.starts_at", "须在预订前后 24 小时内", "Within 24 hours around")


def lock(needs: Sequence[Need]) -> None:
    """Lock all that is needed, in the one order."""
    ask_lock(needs)
    statements.flush()


def ask_lock(needs: Sequence[Need]) -> None:
    """Lock all that is needed before whatever is asked next."""
    locking.ask_spaces(sorted({n.resource.pk for n in needs if n.is_space}))
    locking.lock_pools(sorted({n.resource.pk for n in needs if not n.is_space}))


@dataclass(frozen=True, slots=True)
class Looking:
    """What takes the needed things at the wished times, on its way."""

    needs: Sequence[Need]
    spaces: TakenAsked
    pools: TakenAsked

    def pick(self, *, ignore: Collection[str] = ()) -> Picked:
        """Choose free units for every need.

        Args:
            ignore: codes of bookings that do not count, because they are being moved.
        """
        busy = {True: self.spaces.by_resource(), False: self.pools.by_resource()}
        units = pool_units(self.needs)
        places: list[Place] = []
        lacks: list[Lack] = []
        for need in self.needs:
            near = [
                t
                for t in busy[need.is_space].get(need.resource.pk, [])
                if t.booking_code not in ignore
            ]
            chosen, lack = choose(need, near, beside_in(places, need), units)
            places += chosen
            lacks += [lack] if lack else []
        return Picked(places, lacks)


def look(needs: Sequence[Need], *, now: datetime) -> Looking:
    """Ask what takes the needed things; holds that ended before `now` do not count."""
    blocks = [need.block for need in needs]
    window = Span(min(b.start for b in blocks), max(b.end for b in blocks))
    if any(need.many for need in needs):
        window = window.widened(before=AROUND, after=AROUND)
    spaces = {n.resource.pk for n in needs if n.is_space}
    pools = {n.resource.pk for n in needs if not n.is_space}
    return Looking(
        needs,
        selectors.ask_taken(space_ids=spaces, window=window, now=now),
        selectors.ask_taken_in_pools(pool_ids=pools, window=window, now=now),
    )


def pick(needs: Sequence[Need], *, ignore: Collection[str] = (), now: datetime) -> Picked:
    """Look, and choose free units for every need."""
    return look(needs, now=now).pick(ignore=ignore)


def choose(
    need: Need,
    near: Sequence[Taken],
    beside: Sequence[tuple[int, Span]],
    in_pools: Mapping[int, Sequence[int]],
) -> tuple[list[Place], Lack | None]:
    """Choose units for a need, or as many as there are and what is lacking.

    Args:
        need: what is needed.
        near: what takes the thing, during the block and around it.
        beside: units of the same thing that are chosen already, each with its block.
        in_pools: units in service, by pool; see `pool_units`.
    """
    block = need.block
    around = [(t.unit, t.span) for t in near] + list(beside)
    busy = {unit for unit, span in around if span.overlaps(block)}
    thing = need.resource
    units = selectors.units_of(thing) if isinstance(thing, Space) else in_pools.get(thing.pk, ())
    free = [unit for unit in units if unit not in busy]
    lack = None
    if len(free) < need.quantity:
        lack = Lack(need, len(free), [t for t in near if t.span.overlaps(block)])
    elif need.quantity < len(free):
        free = _snuggest(free, around, block)
    space_id, pool_id = need.ids
    return [Place(space_id, pool_id, unit, block) for unit in free[: need.quantity]], lack


def beside_in(places: Iterable[Place], need: Need) -> list[tuple[int, Span]]:
    """What of the same thing is among the places, by unit."""
    return [(p.unit, p.block) for p in places if (p.space_id, p.pool_id) == need.ids]


def _snuggest(units: Sequence[int], beside: Iterable[tuple[int, Span]], block: Span) -> list[int]:
    """Best fit: first the unit that is left idle the least just before and after the block.

    A unit keeps its booking throughout, so gaps too short for anybody are seats lost.
    """
    idle = {unit: [AROUND, AROUND] for unit in units}
    for unit, span in beside:
        if (gaps := idle.get(unit)) is None:
            continue
        if span.end <= block.start:
            gaps[0] = min(gaps[0], block.start - span.end)
        else:
            gaps[1] = min(gaps[1], span.start - block.end)
    return sorted(units, key=lambda unit: (sum(idle[unit], timedelta()), unit))


def pool_units(needs: Iterable[Need]) -> dict[int, list[int]]:
    """The numbers of the things in service, by pool; one query, none without pools."""
    pool_ids = {need.resource.pk for need in needs if not need.is_space}
    found: dict[int, list[int]] = {}
    if pool_ids:
        rows = EquipmentUnit.objects.filter(pool_id__in=pool_ids, in_service=True)
        for pool_id, number in rows.order_by("number").values_list("pool_id", "number"):
            found.setdefault(pool_id, []).append(number)
    return found


def lack_json(lack: Lack, *, tenant_id: int) -> dict[str, Any]:
    """What is lacking, for the answer; of others only that they are busy."""
    need, row = lack.need, lack.need.resource
    return {
        "kind": "space" if need.is_space else "pool",
        "code": row.code,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "wanted": need.quantity,
        "free": lack.free,
        "from": need.block.start.isoformat(),
        "to": need.block.end.isoformat(),
        "conflicts": [conflict_json(t, row.code, tenant_id) for t in lack.takings],
    }


def conflict_json(taken: Taken, code: str, tenant_id: int) -> dict[str, Any]:
    """What is in the way; of others only that they are busy."""
    own = taken.tenant_id == tenant_id
    return {
        "space": code,
        "from": taken.span.start.isoformat(),
        "to": taken.span.end.isoformat(),
        "kind": taken.kind if own else "busy",
        "booking": taken.booking_code if own else None,
    }


def offers(lack: Lack, *, now: datetime) -> list[dict[str, Any]]:
    """Equal ones that are free instead: rooms of the type, or pools of the same service."""
    need = lack.need
    if isinstance(need.resource, Space):
        rooms = selectors.equal_spaces(need.resource, need.span, 1, now=now)
        return [
            {"kind": "space", "code": r.code, "name_zh": r.name_zh, "name_en": r.name_en}
            for r in rooms
        ]
    pools = EquipmentPool.objects.exclude(pk=need.resource.pk).exclude(service_code="")
    equal = [
        Need(pool, need.quantity, need.span, need.buffers)
        for pool in pools.filter(service_code=need.resource.service_code)
    ]
    return [
        {"kind": "pool", "code": n.resource.code, "name_zh": n.resource.name_zh,
         "name_en": n.resource.name_en}
        for n in equal
        if not pick([n], now=now).lacks
    ]  # fmt: skip


def keep_parts(booking: Booking, needs: Sequence[Need]) -> None:
    """Write down what is taken beside the room, with buffers as they are now, instead of before.

    `needs` are those of the whole wish, the room first.
    """
    extras = needs[1:]
    if booking.part_count:
        BookingPart.objects.filter(booking=booking).delete()
    BookingPart.objects.bulk_create(
        BookingPart(
            booking=booking,
            space_id=need.resource.pk if need.is_space else None,
            pool_id=None if need.is_space else need.resource.pk,
            quantity=need.quantity,
            starts_at=need.span.start,
            ends_at=need.span.end,
            **need.buffers.as_minutes(),
        )
        for need in extras
    )
    if booking.part_count != len(extras):
        booking.part_count = len(extras)
        Booking.objects.filter(pk=booking.pk).update(part_count=booking.part_count)
