"""The engine against a plain model, step by step: random deeds, random clocks, no difference.

Each shard is a run of hypothesis' state machine over the real services and a real PostgreSQL;
after every step the answer, every status, every place taken and the line are compared.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from base_ops.core import errors
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import importers
from booking import services
from booking.domain.blackouts import Kind
from booking.domain.rulebook import standard
from booking.models import Blackout, Booking, EquipmentPool, EquipmentUnit, WaitlistEntry
from booking.services import BookingWish, Change, Extra, blackouts
from booking.services import series as serial
from booking.services.blackouts import BlackoutWish
from booking.services.series import SeriesWish
from tests import make
from tests.billing.data import demo
from tests.booking import world
from tests.booking.model import Blackout as Closure
from tests.booking.model import Booking as Planned
from tests.booking.model import Model, Refused, Resource
from tests.booking.model import Waiting as Entry

START = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
SHARDS, EXAMPLES, STEPS = 8, 58, 50

_ROOMS = (
    Resource("one", setup=15, teardown=15, kind="studio"),
    Resource("two", setup=15, teardown=15, shared=True, kind="studio"),
    Resource("seats", units=3, setup=15, teardown=15, kind="seats"),
)
_POOL = Resource("cameras", units=2)
_LISTING = """
SELECT 'p', coalesce(space_id, -pool_id), unit, kind,
       coalesce(booking_id, 0), lower(block), upper(block), '' FROM booking_allocation
 WHERE active AND (expires_at IS NULL OR expires_at > %(now)s)
UNION ALL
SELECT 'b', space_id, units, status, id, starts_at, ends_at, '' FROM booking_booking
UNION ALL
SELECT 'w', 0, 0, status, id, starts_at, ends_at, coalesce(offered_id::text, '')
  FROM booking_waitlistentry
"""


class World:
    """The rows that all examples of a shard share."""

    spaces: ClassVar[list[Space]]
    pool: ClassVar[EquipmentPool]
    tenants: ClassVar[list[Tenant]]
    steps: ClassVar[Counter[str]]

    @classmethod
    def build(cls) -> None:
        """Three rooms, two cameras, three tenants without discounts."""
        gate = [p for p in demo()["policies"] if p["kind"] == "gate"]  # no discount moves prices
        importers.load({**demo(), "tenants": [], "training_programmes": [], "policies": gate})
        rules = standard.document()
        quotas = ("concurrent", "hours_quota")  # how much somebody may book is another test's
        rules["rules"] = [r for r in rules["rules"] if r["kind"] not in quotas]
        services.publish_rules(document=rules, actor=world.STAFF, now=START - timedelta(days=1))
        studio = make.space_type(code="studio_single")
        seats = make.space_type(tariff_code="TF-MAKEUP", group="support")
        cls.spaces = [
            make.space(type=studio),
            make.space(type=studio, buffers_shared=True),
            make.space(type=seats, unit_count=3),
        ]
        cls.pool = EquipmentPool.objects.create(code="CAM", name_zh="机", name_en="Cam")
        EquipmentUnit.objects.bulk_create(EquipmentUnit(pool=cls.pool, number=n) for n in (1, 2))
        cls.tenants = [make.tenant() for _ in range(3)]
        cls.steps = Counter()


rooms = st.integers(0, 2)
people = st.integers(0, 2)
starts = st.integers(1, 60)  # half hours from now
lengths = st.sampled_from([60, 90, 120, 180])
picks = st.integers(0, 10**6)


class Engine(RuleBasedStateMachine):
    """Does each deed twice: in the model, and through the services."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.model = Model(_ROOMS, _POOL)
        self.rows: dict[int, Booking] = {}
        self.line: dict[int, WaitlistEntry] = {}
        self.closures: dict[int, Blackout] = {}

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    # --- helpers --------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.model.now)

    def at(self, minute: int) -> datetime:
        return START + timedelta(minutes=minute)

    def grid(self, half_hours: int) -> int:
        """A start on the grid so many half hours from now."""
        return (self.model.now // 30 + half_hours) * 30

    def span(self, a: int, length: int) -> Span:
        return Span(self.at(a), self.at(a + length))

    def both(self, name: str, planned: Callable[[], Any], done: Callable[[], Any]) -> Any:
        """Do it in both; the same refusal, or the two results."""
        World.steps[name] += 1
        try:
            expected = planned()
        except Refused as exc:
            with pytest.raises(errors.DomainError) as refusal, transaction.atomic():
                done()
            assert refusal.value.code == str(exc), (name, refusal.value.detail)  # noqa: PT017
            World.steps["refused"] += 1
            return None
        with transaction.atomic():
            return expected, done()

    def wish(self, tenant: int, room: int, a: int, length: int, **more: Any) -> BookingWish:
        cameras = more.pop("cameras", 0)
        extras = (Extra(pool=World.pool, quantity=cameras),) if cameras else ()
        return BookingWish(
            space=World.spaces[room],
            tenant=World.tenants[tenant],
            span=self.span(a, length),
            extras=extras,
            **more,
        )

    def learn(self) -> None:
        """Name the rows that the engine made by itself (offers) after the model's."""
        for entry in self.model.line:
            if entry.offer is not None and entry.offer.number not in self.rows:
                offered = WaitlistEntry.objects.get(pk=self.line[entry.number].pk).offered
                assert offered is not None
                self.rows[entry.offer.number] = offered

    def one(self, pick: int, *statuses: str) -> Any:
        """Some booking, one of the statuses if there is any."""
        likely = [b for b in self.model.bookings if b.status in statuses]
        found = likely or self.model.bookings
        booking = found[pick % len(found)]
        return booking, Booking.objects.select_related(
            "space__type", "space__floor", "tenant"
        ).get(pk=self.rows[booking.number].pk)

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
        where = (tenant, _ROOMS[room], a, a + length)
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
        space = _ROOMS[room] if what == "r" else booking.space
        a = self.grid(start) if what == "t" else booking.a
        b = booking.a + length if what == "l" else a + booking.b - booking.a
        change = Change(
            space=World.spaces[_ROOMS.index(space)], starts_at=self.at(a), ends_at=self.at(b)
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
            lambda: self.model.black_out(_ROOMS[room], a, a + length),
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
            lambda: self.model.series(tenant, _ROOMS[room], a, a + length, days=days, skip=skip),
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
            room, a, length = _ROOMS.index(taken.space), taken.a, taken.b - taken.a
        wish = self.wish(tenant, room, a, length)
        kind = World.spaces[room].type if any_of else None
        pair = self.both(
            "wait",
            lambda: self.model.wait(tenant, _ROOMS[room], a, a + length, units=1, any_of=any_of),
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

    # --- what must be equal ---------------------------------------------------------------------

    @invariant()
    def nothing_differs(self) -> None:
        numbers = {row.pk: number for number, row in self.rows.items()}
        entries = {row.pk: number for number, row in self.line.items()}
        names: dict[Any, Resource] = {
            s.pk: room for s, room in zip(World.spaces, _ROOMS, strict=True)
        }
        names[-World.pool.pk] = _POOL
        with connection.cursor() as cursor:
            cursor.execute(_LISTING, {"now": self.now})
            rows = cursor.fetchall()
        places = {
            (names[res].name, max(unit, 1), numbers.get(owner, 0), self.minute(a), self.minute(b))
            for what, res, unit, _, owner, a, b, _ in rows
            if what == "p"
        }
        assert places == {
            (
                t.resource.name,
                t.unit,
                owner.number if owner in self.model.bookings else 0,
                t.a,
                t.b,
            )
            for owner in self.owners()
            for t in owner.takings
            if t.active and self.model.live(t)
        }
        bookings = {
            numbers[pk]: (names[res].name, units, status, self.minute(a), self.minute(b))
            for what, res, units, status, pk, a, b, _ in rows
            if what == "b"
        }
        assert bookings == {
            b.number: (b.space.name, b.units, b.status, b.a, b.b) for b in self.model.bookings
        }
        line = {
            entries[pk]: (status, numbers.get(int(offer)) if offer else None)
            for what, _, _, status, pk, _, _, offer in rows
            if what == "w"
        }
        assert line == {
            w.number: (w.status, w.offer.number if w.offer else None) for w in self.model.line
        }

    def owners(self) -> list[Planned | Closure]:
        return [*self.model.bookings, *self.model.blackouts]

    def minute(self, instant: datetime) -> int:
        return int((instant - START).total_seconds()) // 60


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
    assert all(World.steps[name] for name in DEEDS), World.steps


DEEDS = (
    "book", "draft", "hold", "confirm", "cancel", "release", "move", "swap", "check_in",
    "black_out", "end_blackout", "series", "wait", "leave", "time", "refused",
)  # fmt: skip
