"""The engine against a plain model, step by step: random deeds, random clocks, no difference.

Each shard is a run of hypothesis' state machine over the real services and a real PostgreSQL;
after every step the answer, every status, every place taken and the line are compared.
"""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from booking import services
from booking.domain.blackouts import Kind
from booking.services import Change, blackouts
from booking.services import series as serial
from booking.services.blackouts import BlackoutWish
from booking.services.series import SeriesWish
from tests.booking import world
from tests.booking.planned import Waiting as Entry
from tests.booking.stateful_world import ROOMS, Pair, World

SHARDS, EXAMPLES, STEPS = 8, 66, 50


rooms = st.integers(0, 2)
people = st.integers(0, 2)
starts = st.integers(1, 60)  # half hours from now
lengths = st.sampled_from([60, 90, 120, 180])
picks = st.integers(0, 10**6)


class Engine(Pair):
    """All deeds, at random."""

    # --- deeds ----------------------------------------------------------------------------------

    @rule(
        tenant=people,
        room=rooms,
        start=starts,
        length=lengths,
        units=st.integers(1, 3),
        cameras=st.integers(0, 2),
        how=st.sampled_from(["hold", "confirm", "hold", "confirm", "draft"]),
    )
    def book(
        self, tenant: int, room: int, start: int, length: int, units: int, cameras: int, how: str
    ) -> None:
        units = units if room == 2 else 1
        a = self.grid(start)
        wish = self.wish(tenant, room, a, length, units=units, cameras=cameras)
        where = (tenant, ROOMS[room], a, a + length)
        if how == "draft":
            pair = self.both(
                "draft",
                lambda: self.model.draft(*where, units=units, cameras=cameras),
                lambda: services.draft(wish=wish, actor=world.STAFF, now=self.now),
            )
        else:
            hold = how == "hold"
            pair = self.both(
                "book",
                lambda: self.model.book(*where, units=units, cameras=cameras, hold=hold),
                lambda: services.book(wish=wish, actor=world.STAFF, hold=hold, now=self.now),
            )
        if pair:
            self.rows[pair[0].number] = pair[1]

    @precondition(lambda self: self.model.bookings)
    @rule(pick=picks)
    def hold(self, pick: int) -> None:
        booking, row = self.one(pick, "draft")
        self.both(
            "hold",
            lambda: self.model.hold(booking),
            lambda: services.hold(booking=row, actor=world.STAFF, now=self.now),
        )

    @precondition(lambda self: self.model.bookings)
    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        booking, row = self.one(pick, "held", "draft")
        self.both(
            "confirm",
            lambda: self.model.confirm(booking),
            lambda: services.confirm(booking=row, actor=world.STAFF, now=self.now),
        )

    @precondition(lambda self: self.model.bookings)
    @rule(pick=picks, release=st.sampled_from([False, False, True]))
    def cancel(self, pick: int, release: bool) -> None:
        booking, row = self.one(pick, "held", "confirmed")
        if release:
            self.both(
                "release",
                lambda: self.model.release(booking),
                lambda: services.release(booking=row, actor=world.STAFF, reason="r", now=self.now),
            )
        else:
            self.both(
                "cancel",
                lambda: self.model.cancel(booking),
                lambda: services.cancel(booking=row, actor=world.STAFF, now=self.now),
            )
        self.learn()

    @precondition(lambda self: self.model.bookings)
    @rule(pick=picks, room=rooms, start=starts, length=lengths, what=st.sampled_from("trl"))
    def move(self, pick: int, room: int, start: int, length: int, what: str) -> None:
        """Another time, another room, or another length."""
        booking, row = self.one(pick, "held", "confirmed")
        space = ROOMS[room] if what == "r" else booking.space
        a = self.grid(start) if what == "t" else booking.a
        b = booking.a + length if what == "l" else a + booking.b - booking.a
        change = Change(
            space=World.spaces[ROOMS.index(space)], starts_at=self.at(a), ends_at=self.at(b)
        )
        self.both(
            "move",
            lambda: self.model.move(booking, space, a, b),
            lambda: services.move(booking=row, change=change, actor=world.STAFF, now=self.now),
        )
        self.learn()

    @precondition(lambda self: len(self.model.bookings) > 1)
    @rule(one=picks, other=picks)
    def swap(self, one: int, other: int) -> None:
        a, row_a = self.one(one, "held", "confirmed")
        b, row_b = self.one(other, "confirmed", "held")
        self.both(
            "swap",
            lambda: self.model.swap(a, b),
            lambda: services.swap(one=row_a, other=row_b, actor=world.STAFF, now=self.now),
        )
        self.learn()

    @precondition(lambda self: self.model.bookings)
    @rule(pick=picks)
    def come_and_go(self, pick: int) -> None:
        booking, row = self.one(pick, "checked_in", "confirmed")
        if booking.status == "checked_in":
            self.both(
                "check_out",
                lambda: self.model.check_out(booking),
                lambda: services.check_out(booking=row, actor=world.STAFF, now=self.now),
            )
        else:
            self.both(
                "check_in",
                lambda: self.model.check_in(booking),
                lambda: services.check_in(booking=row, actor=world.STAFF, now=self.now),
            )
        self.learn()

    @precondition(lambda self: any(b.status == "checked_in" for b in self.model.bookings))
    @rule(pick=picks, more=st.sampled_from([30, 60, 120]))
    def extend(self, pick: int, more: int) -> None:
        booking, row = self.one(pick, "checked_in")
        b = booking.b + more
        self.both(
            "extend",
            lambda: self.model.move(booking, booking.space, booking.a, b),
            lambda: services.move(
                booking=row, change=Change(ends_at=self.at(b)), actor=world.STAFF, now=self.now
            ),
        )

    @rule(room=rooms, start=starts, length=lengths)
    def black_out(self, room: int, start: int, length: int) -> None:
        a = self.grid(start)
        wish = BlackoutWish(
            World.spaces[room], Kind.MAINTENANCE, self.span(a, length), "maintenance"
        )
        pair = self.both(
            "black_out",
            lambda: self.model.black_out(ROOMS[room], a, a + length),
            lambda: blackouts.create(wish=wish, actor=world.STAFF, now=self.now),
        )
        if pair:
            self.closures[pair[0].number] = pair[1]

    @precondition(lambda self: any(
        b.takings[0].active and b.takings[0].a > self.model.now for b in self.model.blackouts
    ))  # fmt: skip
    @rule(pick=picks)
    def end_blackout(self, pick: int) -> None:
        ahead = [
            b for b in self.model.blackouts
            if b.takings[0].active and b.takings[0].a > self.model.now
        ]  # fmt: skip
        found = ahead[pick % len(ahead)]
        row = self.closures[found.number]
        self.both(
            "end_blackout",
            lambda: self.model.end_blackout(found),
            lambda: blackouts.cancel(blackout=row, reason="done", actor=world.STAFF, now=self.now),
        )
        self.learn()

    @rule(tenant=people, room=rooms, start=starts, length=lengths, days=st.integers(2, 4),
          skip=st.booleans())  # fmt: skip
    def series(
        self, tenant: int, room: int, start: int, length: int, days: int, skip: bool
    ) -> None:
        a = self.grid(start)
        wish = SeriesWish(self.wish(tenant, room, a, length), f"FREQ=DAILY;COUNT={days}")
        pair = self.both(
            "series",
            lambda: self.model.series(tenant, ROOMS[room], a, a + length, days=days, skip=skip),
            lambda: serial.create(
                wish=wish, mode="skip" if skip else "atomic", actor=world.STAFF, now=self.now
            ),
        )
        if pair:
            made = sorted(pair[1].bookings, key=lambda b: b.starts_at)
            for planned, row in zip(pair[0], made, strict=True):
                self.rows[planned.number] = row

    @rule(tenant=people, room=rooms, start=starts, length=lengths, any_of=st.booleans(),
          pick=st.none() | picks)  # fmt: skip
    def wait(
        self, tenant: int, room: int, start: int, length: int, any_of: bool, pick: int | None
    ) -> None:
        """In line for some time, mostly one that somebody has."""
        a = self.grid(start)
        ahead = [b for b in self.model.bookings if b.a > self.model.now]
        if pick is not None and ahead:
            taken = ahead[pick % len(ahead)]
            room, a, length = ROOMS.index(taken.space), taken.a, taken.b - taken.a
        wish = self.wish(tenant, room, a, length)
        kind = World.spaces[room].type if any_of else None
        pair = self.both(
            "wait",
            lambda: self.model.wait(tenant, ROOMS[room], a, a + length, units=1, any_of=any_of),
            lambda: services.wait(wish=wish, any_of=kind, actor=world.STAFF, now=self.now),
        )
        if pair:
            self.line[pair[0].number] = pair[1]

    @precondition(lambda self: self.model.line)
    @rule(pick=picks)
    def leave(self, pick: int) -> None:
        entry: Entry = self.model.line[pick % len(self.model.line)]
        row = self.line[entry.number]
        self.both(
            "leave",
            lambda: self.model.leave(entry),
            lambda: services.stop_waiting(entry=row, actor=world.STAFF, now=self.now),
        )

    @rule(minutes=st.sampled_from([1, 5, 9, 10, 11, 20, 30, 45, 90]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        """The clock moves; the jobs may be late."""
        self.model.now += minutes
        World.steps["time"] += 1
        if swept:
            self.model.sweep()
            services.expire_due(now=self.now)
            services.expire_waiting(now=self.now)
            services.release_no_shows(now=self.now)
            services.end_due(now=self.now)
            self.learn()


@pytest.mark.no_cover  # it measures nothing but agreement, and would take twice as long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_engine_and_model_never_differ(db: None, shard: int) -> None:
    World.build()

    run_state_machine_as_test(
        seed(shard)(type("Shard", (Engine,), {})),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    done = sum(count for name, count in World.steps.items() if name != "refused")
    assert done >= 2500, World.steps  # 8 shards: 20,000 steps
    # Hypothesis leaves some rules out of each example, so a shard may miss a rare one altogether.
    assert sum(not World.steps[name] for name in DEEDS) <= 1, World.steps


DEEDS = (
    "book", "draft", "hold", "confirm", "cancel", "release", "move", "swap", "check_in",
    "black_out", "end_blackout", "series", "wait", "leave", "time", "refused",
)  # fmt: skip
