"""A plain model of the engine: what should happen, in minutes and lists, without a database.

It knows nothing of SQL, locks, prices or rules; only of who takes what when. Written from the
meaning (PRODUCT, "What must always be true"), to be compared with the engine step by step.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.booking.planned import Blackout, Booking, Refused, Resource, Taking, Waiting, clash

OFFER_MIN, HOLD_MIN, DRAFT_MIN, GRACE_MIN, AROUND_MIN = 30, 10, 30, 20, 240
HALF_A_DAY = 12 * 60


class Model:
    """All that is booked; every method is one deed at the present minute `now`."""

    def __init__(self, spaces: Sequence[Resource], pool: Resource) -> None:
        self.now = 0
        self.spaces = list(spaces)
        self.pool = pool
        self.bookings: list[Booking] = []
        self.line: list[Waiting] = []
        self.blackouts: list[Blackout] = []
        self._numbers = 0

    # --- looking --------------------------------------------------------------------------------

    def takings(self) -> list[Taking]:
        """All that stands in the books, expired holds included."""
        owners: list[Booking | Blackout] = [*self.bookings, *self.blackouts]
        return [t for owner in owners for t in owner.takings if t.active]

    def live(self, taking: Taking) -> bool:
        """Whether it counts: holds whose time is over do not."""
        return taking.until is None or taking.until > self.now

    def free(
        self, resource: Resource, a: int, b: int, ignore: Sequence[Booking] = ()
    ) -> list[int]:
        """The units of a resource that nothing takes during [a, b), the snuggest first."""
        mine = [t for booking in ignore for t in booking.takings]
        counted = [
            t
            for t in self.takings()
            if t.resource is resource and self.live(t) and not any(t is m for m in mine)
        ]
        busy = {t.unit for t in counted if t.a < b and a < t.b}

        def idle(unit: int) -> int:
            beside = [t for t in counted if t.unit == unit]
            before = min((a - t.b for t in beside if t.b <= a), default=HALF_A_DAY)
            after = min((t.a - b for t in beside if t.a >= b), default=HALF_A_DAY)
            return min(before, HALF_A_DAY) + min(after, HALF_A_DAY)

        free = [unit for unit in range(1, resource.units + 1) if unit not in busy]
        return sorted(free, key=lambda unit: (idle(unit), unit))

    def _places(
        self, space: Resource, a: int, b: int, units: int, cameras: int,
        ignore: Sequence[Booking] = (),
    ) -> list[Taking]:  # fmt: skip
        places = []
        for resource, wanted in ((space, units), (self.pool, cameras)):
            if not wanted:
                continue
            start, end = resource.block(a, b)
            free = self.free(resource, start, end, ignore)
            if len(free) < wanted:
                raise Refused("slot_taken")
            places += [Taking(resource, unit, start, end) for unit in free[:wanted]]
        return places

    def _take(self, booking: Booking, places: list[Taking], *, waited: bool) -> None:
        """Put the places down; expired holds in the way give way, unless somebody waits."""
        stale = [t for t in self.takings() if not self.live(t)]
        stale_in_the_way = any(clash(s, p) for s in stale for p in places)
        if stale_in_the_way and not waited:
            a, b = booking.space.block(booking.a, booking.b)
            if any(self._waits(w, booking.space, a, b) for w in self.line):
                raise Refused("slot_taken")
        if stale_in_the_way:
            resources = [p.resource for p in places]
            for taking in stale:
                if any(taking.resource is r for r in resources):
                    taking.active = False
        for place in places:
            place.until = booking.expires
        booking.takings = [t for t in booking.takings if not t.active] + places

    def _waits(self, entry: Waiting, space: Resource, a: int, b: int) -> bool:
        fits = entry.space is space if entry.space else entry.kind == space.kind
        return (
            entry.status == "waiting" and fits and entry.a > self.now and entry.a < b
            and a < entry.b
        )  # fmt: skip

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """All of a deed, or none of it."""
        things: list[Any] = [*self.bookings, *self.line, *self.takings()]
        before = [(thing, dict(vars(thing))) for thing in things]
        lists = [(b, list(b.takings)) for b in self.bookings]
        known = list(self.bookings)
        try:
            yield
        except Refused:
            for thing, was in before:
                vars(thing).update(was)
            for booking, takings in lists:
                booking.takings = takings
            self.bookings = known
            raise

    # --- making ---------------------------------------------------------------------------------

    def _new(self, tenant: int, space: Resource, a: int, b: int, **more: object) -> Booking:
        self._numbers += 1
        booking = Booking(self._numbers, tenant, space, a, b, **more)  # type: ignore[arg-type]
        self.bookings.append(booking)
        return booking

    def book(
        self, tenant: int, space: Resource, a: int, b: int, *, units: int, cameras: int, hold: bool
    ) -> Booking:
        """Hold for ten minutes, or confirm."""
        places = self._places(space, a, b, units, cameras)
        with self._or_nothing():
            booking = self._new(
                tenant, space, a, b, units=units, cameras=cameras,
                status="held" if hold else "confirmed",
                expires=self.now + HOLD_MIN if hold else None,
            )  # fmt: skip
            self._take(booking, places, waited=False)
        return booking

    def draft(
        self, tenant: int, space: Resource, a: int, b: int, *, units: int, cameras: int
    ) -> Booking:
        """Keep a wish; it takes nothing."""
        return self._new(
            tenant, space, a, b, units=units, cameras=cameras, status="draft",
            expires=self.now + DRAFT_MIN,
        )  # fmt: skip

    def hold(self, booking: Booking) -> None:
        """A draft becomes a hold."""
        if booking.status != "draft":
            raise Refused("wrong_state")
        self._undraft(booking, "held", self.now + HOLD_MIN)

    def _undraft(self, booking: Booking, status: str, expires: int | None) -> None:
        self._check_time(booking)
        if booking.a <= self.now - 30:
            raise Refused("rules_broken")
        with self._or_nothing():
            booking.expires = expires
            places = self._places(
                booking.space, booking.a, booking.b, booking.units, booking.cameras
            )
            self._take(booking, places, waited=False)
        booking.status = status

    def _check_time(self, booking: Booking) -> None:
        over = booking.expires is not None and booking.expires <= self.now
        if booking.status in ("draft", "held") and over:
            raise Refused("hold_expired")

    def confirm(self, booking: Booking) -> None:
        """A draft or a hold becomes a booking."""
        if booking.status == "draft":
            self._undraft(booking, "confirmed", None)
            return
        self._check_time(booking)
        if booking.status != "held":
            raise Refused("wrong_state")
        booking.status, booking.expires = "confirmed", None
        for taking in booking.takings:
            taking.until = None
        if booking.offered_to is not None:
            booking.offered_to.status = "accepted"

    # --- ending ---------------------------------------------------------------------------------

    def cancel(self, booking: Booking) -> None:
        """Give it back."""
        if booking.status not in ("draft", "held", "confirmed"):
            raise Refused("wrong_state")
        booking.expires = None
        self._end(booking, "cancelled")

    def release(self, booking: Booking) -> None:
        """The base gives a confirmed one back."""
        if booking.status != "confirmed":
            raise Refused("wrong_state")
        booking.expires = None
        self._end(booking, "released")

    def _end(self, booking: Booking, status: str) -> None:
        booking.status = status
        for taking in booking.takings:
            taking.active = False
        entry = booking.offered_to
        if entry is not None and entry.status == "offered":
            entry.status = "lapsed"
        self._offer([booking.space], booking.a, booking.b)

    def check_in(self, booking: Booking) -> None:
        """From setup on, at most twenty minutes late."""
        if not booking.a - booking.space.setup <= self.now:
            raise Refused("too_early")
        if self.now >= booking.b or self.now > booking.a + GRACE_MIN:
            raise Refused("too_late")
        if booking.status != "confirmed":
            raise Refused("wrong_state")
        booking.status = "checked_in"

    def check_out(self, booking: Booking) -> None:
        """The unused rest is given back."""
        if booking.status != "checked_in":
            raise Refused("wrong_state")
        self._finish(booking, self.now)

    def _finish(self, booking: Booking, ended: int) -> None:
        booking.status = "completed"
        space = booking.space
        after = max(space.setup, space.teardown) if space.shared else space.teardown
        for taking in booking.takings:
            if taking.active and taking.a < ended + after < taking.b:
                taking.b = ended + after
        self._offer([space], booking.a, booking.b)

    # --- changing -------------------------------------------------------------------------------

    def move(self, booking: Booking, space: Resource, a: int, b: int) -> None:
        """Another room, time or length; a running stay may only get another end."""
        self._check_time(booking)
        only_end = (space, a) == (booking.space, booking.a) and b > self.now
        extends = booking.status == "checked_in" and only_end
        if not self._waits_for_its_time(booking) and not extends:
            raise Refused("too_late_to_move")
        if booking.units > space.units or (not extends and a <= self.now - 30):
            raise Refused("rules_broken")
        freed = booking.space, booking.a, booking.b
        with self._or_nothing():
            self._replace(booking, space, a, b)
        self._offer([freed[0]], freed[1], freed[2])

    def _replace(self, booking: Booking, space: Resource, a: int, b: int) -> None:
        places = self._places(space, a, b, booking.units, booking.cameras, [booking])
        booking.space, booking.a, booking.b = space, a, b
        if booking.status != "draft":
            booking.takings = []
            self._take(booking, places, waited=True)

    def swap(self, one: Booking, other: Booking) -> None:
        """Both change places, or neither; what is freed is offered when both have theirs."""
        if one is other:
            raise Refused("cannot_swap")
        if not all(self._waits_for_its_time(booking) for booking in (one, other)):
            raise Refused("cannot_swap")
        places = [(b.space, b.a, b.b) for b in (one, other)]
        with self._or_nothing():
            for booking in (one, other):
                for taking in booking.takings:
                    taking.active = False
            # One has its place before the other is judged beside it.
            for booking, (space, a, _) in zip((one, other), reversed(places), strict=True):
                if booking.units > space.units:
                    raise Refused("rules_broken")
                self._replace(booking, space, a, a + booking.b - booking.a)
        for space, a, b in places:
            self._offer([space], a, b)

    def _waits_for_its_time(self, booking: Booking) -> bool:
        return booking.status in ("draft", "held", "confirmed") and booking.a > self.now

    # --- blackouts, series, the line ------------------------------------------------------------

    def black_out(self, space: Resource, a: int, b: int) -> Blackout:
        """Take all of a space out of use; expired holds give way."""
        if len(self.free(space, a, b)) < space.units:
            raise Refused("space_taken")
        self._drop_stale(space)
        self._numbers += 1
        takings = [Taking(space, unit, a, b) for unit in range(1, space.units + 1)]
        found = Blackout(self._numbers, takings)
        self.blackouts.append(found)
        return found

    def end_blackout(self, blackout: Blackout) -> None:
        """Back in use."""
        for taking in blackout.takings:
            taking.active = False
        first = blackout.takings[0]
        self._offer([first.resource], first.a, first.b)

    def series(
        self, tenant: int, space: Resource, a: int, b: int, *, days: int, skip: bool
    ) -> list[Booking]:
        """Daily, confirmed at once; all of it, or what can be had."""
        made: list[Booking] = []
        with self._or_nothing():
            for day in range(days):
                start, end = a + day * 1440, b + day * 1440
                try:
                    places = self._places(space, start, end, 1, 0)
                except Refused:
                    continue
                made.append(
                    self._new(tenant, space, start, end, units=1, cameras=0, status="confirmed")
                )
                made[-1].takings = places
            if not made or (len(made) < days and not skip):
                raise Refused("series_conflicts")
            self._drop_stale(space)
        return made

    def _drop_stale(self, space: Resource) -> None:
        """Holds whose time is over give way."""
        for taking in self.takings():
            if taking.resource is space and not self.live(taking):
                taking.active = False

    def wait(
        self, tenant: int, space: Resource, a: int, b: int, *, units: int, any_of: bool
    ) -> Waiting:
        """Stand in line."""
        rooms = [s for s in self.spaces if s.kind == space.kind] if any_of else [space]
        for room in rooms:
            start, end = room.block(a, b)
            if units <= room.units and len(self.free(room, start, end)) >= units:
                raise Refused("slot_is_free")
        self._numbers += 1
        entry = Waiting(self._numbers, tenant, None if any_of else space, space.kind, a, b, units)
        self.line.append(entry)
        return entry

    def leave(self, entry: Waiting) -> None:
        """Leave the line."""
        if entry.status != "waiting":
            raise Refused("not_waiting")
        entry.status = "cancelled"

    def _offer(self, spaces: Sequence[Resource], a: int, b: int) -> None:
        """What was freed goes to who waits, the first first."""
        for space in spaces:
            for entry in list(self.line):
                if not self._waits(entry, space, a - AROUND_MIN, b + AROUND_MIN):
                    continue
                if entry.units > space.units:
                    continue
                try:
                    places = self._places(space, entry.a, entry.b, entry.units, 0)
                except Refused:
                    continue
                hold = self._new(
                    entry.tenant, space, entry.a, entry.b, units=entry.units, cameras=0,
                    status="held", expires=self.now + min(OFFER_MIN, entry.a - self.now),
                )  # fmt: skip
                hold.offered_to = entry
                self._take(hold, places, waited=True)
                entry.status, entry.offer = "offered", hold

    # --- time -----------------------------------------------------------------------------------

    def sweep(self) -> None:
        """What the jobs do: expire, release no-shows, complete what is over."""
        for booking in self._in("held", "draft"):
            if booking.expires is not None and booking.expires <= self.now:
                self._end(booking, "expired")
        for entry in [w for w in self.line if w.status == "waiting" and w.a <= self.now]:
            entry.status = "expired"
        for booking in self._in("confirmed"):
            if booking.a + GRACE_MIN <= self.now:
                self._end(booking, "no_show")
        for booking in self._in("checked_in"):
            if booking.b <= self.now:
                self._finish(booking, booking.b)

    def _in(self, *statuses: str) -> list[Booking]:
        return [b for b in self.bookings if b.status in statuses]
