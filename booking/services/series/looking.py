"""Look at every instance of a series at once: free, priced, within the rules, or why not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from base_ops.core.errors import FieldFault
from base_ops.core.models import Space
from base_ops.core.spans import Span
from billing import services as billing
from billing.domain.quote import Quote
from booking.domain import recurrence
from booking.domain.rulebook import Broken
from booking.selectors.series import Sought, taken_in
from booking.selectors.taking import Taken
from booking.services import resources
from booking.services.locking import Place
from booking.services.resources import Lack, Need
from booking.services.series.judging import Judge, Judged
from booking.services.wishes import BookingWish

Verdict = Literal["ok", "conflict", "rules_broken", "left_out"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller wants for one instance instead: another time or room, or no booking."""

    space: Space | None = None
    span: Span | None = None
    skip: bool = False


@dataclass(frozen=True, slots=True)
class SeriesWish:
    """A wish that repeats; `wish` is its first instance, extras without times of their own."""

    wish: BookingWish
    rrule: str
    exdates: Sequence[datetime] = ()
    rdates: Sequence[datetime] = ()
    choices: Mapping[datetime, Choice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One instance as it would be booked; `skip`: not at all; `was`: the time it has now."""

    recurrence_id: datetime
    wish: BookingWish
    skip: bool = False
    was: Span | None = None


@dataclass(slots=True)
class Seen:
    """What became of one instance in the look."""

    asked: Asked
    needs: Sequence[Need]
    broken: Sequence[Broken] = ()
    waived: Sequence[Broken] = ()
    approvals: Sequence[str] = ()
    rules_version: int | None = None
    places: Sequence[Place] = ()
    lacks: Sequence[Lack] = ()
    quote: Quote | None = None
    alternatives: list[dict[str, Any]] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """In one word; a broken rule comes first, for no other date or room may mend it."""
        if self.asked.skip:
            return "left_out"
        if self.broken:
            return "rules_broken"
        return "conflict" if self.lacks else "ok"


def expanded(series: SeriesWish) -> list[Asked]:
    """Every instance, with the caller's choices.

    Raises:
        the refusals of recurrence.starts.
        recurrence.StartsUnclear: also a choice for a date that the series does not have.
    """
    first = series.wish.span
    starts = recurrence.starts(
        series.rrule, first.start, exdates=series.exdates, rdates=series.rdates
    )
    if unknown := set(series.choices) - set(starts):
        raise recurrence.StartsUnclear(
            f"no instance at {min(unknown).isoformat()}",
            fields=[FieldFault("choices", "系列中没有该日期", "Not a date of the series")],
        )
    return [_asked(series, start) for start in starts]


def _asked(series: SeriesWish, start: datetime) -> Asked:
    choice = series.choices.get(start, Choice())
    wish = replace(
        series.wish,
        span=choice.span or Span(start, start + series.wish.span.length),
        space=choice.space or series.wish.space,
    )
    return Asked(start, wish, choice.skip)


def look(
    asked: Iterable[Asked],
    *,
    role: str = "",
    ignore: Mapping[int, str] = MappingProxyType({}),
    priced: bool = True,
    now: datetime,
) -> list[Seen]:
    """Judge every instance, each as if those before it were booked; writes nothing.

    Queries: what is taken (two more with equipment), which rules and prices are in force, what the
    tenant booked and used; none per instance.

    Args:
        asked: in the order in which they would be booked.
        role: of whoever asks; some may override rules, or approve.
        ignore: bookings that are being changed, code by id: their places and time do not count.
        priced: whether prices are wanted; where a rule limits what is owed they are needed anyway.
        now: holds that ended before do not count.

    Raises:
        rules.RulesBroken: an extra cannot be booked at all.
        billing's NotPriced: the price book lacks what is needed.
    """
    seen = [Seen(one, resources.needs_of(one.wish)) for one in asked]
    judged = [Judged(one.asked.wish, one.asked.was) for one in seen]
    judge = Judge(judged, role=role, ignoring=list(ignore), now=now)
    if judge.needs_price:
        _price(seen)
    _pick(seen, judge, frozenset(ignore.values()), now)
    if priced:
        _price([one for one in seen if one.verdict == "ok"])
    return seen


def _pick(seen: Sequence[Seen], judge: Judge, ignore: frozenset[str], now: datetime) -> None:
    """Judge and choose free units for each instance in turn; what earlier ones took is taken."""
    flat = [need for one in seen for need in one.needs]
    takings = iter(taken_in([_around(need) for need in flat], now=now))
    units = resources.pool_units(flat)
    own = _Own()
    for index, one in enumerate(seen):
        busy = [[t for t in next(takings) if t.booking_code not in ignore] for _ in one.needs]
        if one.asked.skip:
            continue
        _judge(one, judge, index)
        if one.broken:
            continue
        _choose(one, busy, units, own)
        if not one.lacks:
            own.add(one.places)
            judge.add(one.asked.wish, one.quote.total_fen if one.quote else 0)


def _judge(one: Seen, judge: Judge, index: int) -> None:
    price = one.quote.total_fen if one.quote and judge.needs_price else None
    verdict = judge.verdict(index, price)
    one.waived = judge.waived(verdict, one.asked.wish)
    one.broken = [b for b in verdict.broken if b not in one.waived]
    one.approvals = verdict.approvals
    one.rules_version = verdict.version


def _choose(
    one: Seen, busy: Sequence[Sequence[Taken]], units: Mapping[int, Sequence[int]], own: "_Own"
) -> None:
    places: list[Place] = []
    lacks: list[Lack] = []
    for need, near in zip(one.needs, busy, strict=True):
        beside = own.beside(need) + resources.beside_in(places, need)
        chosen, lack = resources.choose(need, near, beside, units)
        places += chosen
        lacks += [lack] if lack else []
    one.places, one.lacks = places, lacks


class _Own:
    """What the series itself takes; where it never overlaps itself nothing is compared."""

    def __init__(self) -> None:
        self._places: dict[tuple[int | None, int | None], list[Place]] = defaultdict(list)
        self._latest: dict[tuple[int | None, int | None], datetime] = {}

    def add(self, places: Iterable[Place]) -> None:
        """Remember places."""
        for place in places:
            key = (place.space_id, place.pool_id)
            self._places[key].append(place)
            self._latest[key] = max(place.block.end, self._latest.get(key, place.block.end))

    def beside(self, need: Need) -> list[tuple[int, Span]]:
        """What it takes of the same thing, by unit, as far as that may matter."""
        latest = self._latest.get(need.ids)
        if latest is None or latest <= _around(need).block.start:
            return []
        return [(p.unit, p.block) for p in self._places[need.ids]]


def _around(need: Need) -> Sought:
    """Where there are several units to choose from, with what lies before and after."""
    wide = need.block
    if need.many:
        wide = wide.widened(before=resources.AROUND, after=resources.AROUND)
    return Sought(*need.ids, wide)


def _price(seen: Sequence[Seen]) -> None:
    if not seen:
        return
    tenant = seen[0].asked.wish.tenant
    claims = [claim(one.asked.wish, str(n)) for n, one in enumerate(seen)]
    for one, quote in zip(seen, billing.quote_claims(tenant, claims), strict=True):
        one.quote = quote


def claim(wish: BookingWish, source: str, at: datetime | None = None) -> billing.Claim:
    """The wish as billing takes it in bulk."""
    return billing.Claim(
        source=source,
        tenant=wish.tenant,
        space=wish.space,
        span=wish.span,
        at=at or wish.span.start,
        purpose=wish.purpose,
        units=wish.units,
        services=wish.priced_services,
        beside=wish.priced_beside,
    )


def conflicts_json(one: Seen) -> list[dict[str, Any]]:
    """What is in the way; of others only that they are busy."""
    tenant_id = one.asked.wish.tenant.pk
    return [
        resources.conflict_json(taken, lack.need.resource.code, tenant_id)
        for lack in one.lacks
        for taken in lack.takings
    ]


def lacking_json(one: Seen) -> list[dict[str, Any]]:
    """Which room or equipment lacks how many units."""
    return [resources.lack_json(lack, tenant_id=one.asked.wish.tenant.pk) for lack in one.lacks]


__all__ = ["Asked", "Choice", "Seen", "SeriesWish", "Taken", "claim", "expanded", "look"]
