"""The rules in force, judged for every instance of a series as if those before it were booked."""

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.models import Role, Space, Tenant
from base_ops.core.spans import Span
from booking.domain import rulebook
from booking.domain.rulebook import Case, Needs, Place, Renter, Stay, Usage, Verdict
from booking.domain.states import BLOCKING, Status
from booking.models import Booking, BookingPart
from booking.selectors import rulebook as rules
from booking.selectors import usage
from booking.selectors.usage_text import LONGEST
from booking.services import locking
from booking.services.wishes import BookingWish

APPROVERS = frozenset({Role.MANAGER, Role.ADMIN})
ASIDE = timedelta(days=1)  # no part is further from its booking


@dataclass(frozen=True, slots=True)
class Judged:
    """One instance before the rules: the wish, the time it has now, its price when it is known."""

    wish: BookingWish
    was: Span | None = None
    price_fen: int | None = None


@dataclass(order=True, frozen=True, slots=True)
class _There:
    """A stay in the order of its start."""

    start: datetime
    stay: Stay = field(compare=False)
    own: bool = field(compare=False, default=True)
    live: bool = field(compare=False, default=True)


class Judge:
    """Judges instance after instance; what is booked between them is told by `add`.

    Three queries at most: the rules in force, the bookings around all instances, and what is owed
    or proven; the latter two only where a rule asks.
    """

    def __init__(
        self,
        judged: Sequence[Judged],
        *,
        role: str = "",
        ignoring: Collection[int] = (),
        now: datetime,
    ) -> None:
        self._book = rules.current_book(now=now)
        self._role, self._now = role, now
        self._places: dict[str, Place] = {}
        self._renters: dict[int, Renter] = {}
        self._hearings = [self._book.hearing(self._case(one)) for one in judged]
        self._needs = needs = [hearing.needs for hearing in self._hearings]
        self._there: list[_There] = []
        self._facts = rulebook.UNUSED
        self._spent_fen = 0
        if judged:
            self._count_alone(judged[0].wish, needs)
            self._look_around(judged[0].wish, needs, ignoring)
            self._look_up(judged[0].wish, needs, ignoring)

    @property
    def needs_price(self) -> bool:
        """Whether some rule limits what the tenant may owe."""
        return any(hearing.needs_price for hearing in self._hearings)

    def verdict(self, index: int, price_fen: int | None = None) -> Verdict:
        """What the rules say of one instance now; its price only matters where a rule asks."""
        hearing = self._hearings[index]
        if price_fen is not None:
            hearing = self._book.hearing(replace(hearing.case, price_fen=price_fen))
        return hearing.verdict(self._usage(self._needs[index]))

    def add(self, wish: BookingWish, price_fen: int = 0) -> None:
        """Count an instance as booked."""
        codes = tuple(self._place(space).code for space in _spaces(wish))
        insort(self._there, _There(wish.span.start, Stay(wish.span, codes)))
        self._spent_fen += price_fen

    def waived(self, verdict: Verdict, wish: BookingWish) -> list[rulebook.Broken]:
        """The broken rules that the caller overrides and may."""
        return [
            b for b in verdict.broken if b.code in wish.override and b.may_be_waived_by(self._role)
        ]

    def _case(self, one: Judged) -> Case:
        wish = one.wish
        return Case(
            places=tuple(self._place(space) for space in _spaces(wish)),
            renter=self._renter(wish.tenant),
            span=wish.span,
            now=self._now,
            headcount=wish.headcount,
            units=wish.units,
            was=one.was,
            series_last=wish.span.start,
            price_fen=one.price_fen,
            approver=self._role in APPROVERS,
        )

    def _renter(self, tenant: Tenant) -> Renter:
        if (found := self._renters.get(tenant.pk)) is None:
            found = self._renters[tenant.pk] = rules.renter(tenant)
        return found

    def _place(self, space: Space) -> Place:
        if (found := self._places.get(space.code)) is None:
            found = self._places[space.code] = rules.place(space, self._book)
        return found

    @staticmethod
    def _count_alone(wish: BookingWish, needs: Sequence[Needs]) -> None:
        if any(n.counts for n in needs):
            everybody = any(n.counts_everybody for n in needs)
            locking.lock_tenants([wish.tenant.pk], everybody=everybody)

    def _look_around(
        self, wish: BookingWish, needs: Sequence[Needs], ignoring: Collection[int]
    ) -> None:
        """Read the bookings in all windows that some rule asks about."""
        windows = [w for n in needs for w in _windows(n)]
        if not windows:
            return
        venue = any(crowd.venue for n in needs for crowd in n.crowds)
        rows = (
            Booking.objects.filter(
                status__in=(*BLOCKING, Status.COMPLETED),
                starts_at__lt=max(w.end for w in windows) + ASIDE,
                starts_at__gt=min(w.start for w in windows) - LONGEST - ASIDE,
                ends_at__gt=min(w.start for w in windows) - ASIDE,
            )
            .exclude(status=Status.HELD, expires_at__lte=self._now)
            .exclude(pk__in=ignoring)
        )
        if not venue:
            rows = rows.filter(tenant=wish.tenant)
        found = list(rows.select_related("space__type", "space__floor").only(
            "tenant_id", "status", "starts_at", "ends_at", "part_count", "space__code",
            "space__bookable", "space__capacity", "space__unit_count", "space__type",
            "space__floor",
        ))  # fmt: skip
        apart = self._apart([row for row in found if row.part_count])
        for row in found:
            stay = Stay(
                Span(row.starts_at, row.ends_at), (self._place(row.space).code,),
                apart=tuple(apart.get(row.pk, ())),
            )  # fmt: skip
            own, live = row.tenant_id == wish.tenant.pk, row.status != Status.COMPLETED
            insort(self._there, _There(row.starts_at, stay, own=own, live=live))

    def _apart(self, rows: Sequence[Booking]) -> dict[int, list[tuple[str, Span]]]:
        """The spaces that bookings take beside their rooms, each with its time."""
        apart: dict[int, list[tuple[str, Span]]] = {}
        if not rows:
            return apart
        parts = BookingPart.objects.filter(booking__in=rows, space__isnull=False)
        for part in parts.select_related("space__type", "space__floor"):
            assert part.space is not None
            code = self._place(part.space).code
            apart.setdefault(part.booking_id, []).append((code, part.span))
        return apart

    def _look_up(
        self, wish: BookingWish, needs: Sequence[Needs], ignoring: Collection[int]
    ) -> None:
        asked = Needs(
            exposure=any(n.exposure for n in needs),
            documents=tuple(sorted({name for n in needs for name in n.documents})),
        )
        self._facts = usage(needs=asked, tenant=wish.tenant, ignoring=ignoring, now=self._now)

    def _usage(self, needs: Needs) -> Usage:
        """What the rules ask about this instance, from what was read."""
        windows = _windows(needs)
        if not windows:
            return replace(self._facts, exposure_fen=self._facts.exposure_fen + self._spent_fen)
        near = self._near(Span(min(w.start for w in windows), max(w.end for w in windows)))
        own = [t.stay for t in near if t.own]
        asks = rulebook.tally(Needs(asks=needs.asks), own, self._places)
        around: dict[Any, Sequence[Span]] = {}
        for crowd in needs.crowds:
            stays = [t.stay for t in near if t.live and (crowd.venue or t.own)]
            around |= rulebook.tally(Needs(crowds=(crowd,)), stays, self._places).around
        return Usage(
            asks.used, around, self._facts.exposure_fen + self._spent_fen, self._facts.evidence
        )

    def _near(self, window: Span) -> list[_There]:
        """The stays that may touch the window, a part of theirs included."""
        low = bisect_left(self._there, window.start - LONGEST - ASIDE, key=_start)
        high = bisect_left(self._there, window.end + ASIDE, key=_start)
        return [t for t in self._there[low:high] if t.stay.span.end > window.start - ASIDE]


def _start(there: _There) -> datetime:
    return there.start


def _spaces(wish: BookingWish) -> list[Space]:
    """The space of a wish and those beside it, the main one first."""
    return [wish.space, *(e.space for e in wish.extras if e.space is not None)]


def _windows(needs: Needs) -> list[Span]:
    return [w for ask in needs.asks for w in ask.windows] + [c.window for c in needs.crowds]
