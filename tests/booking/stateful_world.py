"""Two worlds side by side: the plain model, and the engine over a real PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)

from base_ops.core import errors
from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import importers
from booking import services
from booking.domain.rulebook import standard
from booking.models import Blackout, Booking, EquipmentPool, EquipmentUnit, WaitlistEntry
from booking.services import BookingWish, Extra
from tests import make
from tests.billing.data import demo
from tests.booking import world
from tests.booking.model import Model
from tests.booking.planned import Blackout as Closure
from tests.booking.planned import Booking as Planned
from tests.booking.planned import Refused, Resource

START = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)

ROOMS = (
    Resource("one", setup=15, teardown=15, kind="studio"),
    Resource("two", setup=15, teardown=15, shared=True, kind="studio"),
    Resource("seats", units=3, setup=15, teardown=15, kind="seats"),
)
POOL = Resource("cameras", units=2)
LISTING = """
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


class Pair(RuleBasedStateMachine):
    """Does each deed twice: in the model, and through the services; compares after each."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.model = Model(ROOMS, POOL)
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

    # --- what must be equal ---------------------------------------------------------------------

    @invariant()
    def nothing_differs(self) -> None:
        numbers = {row.pk: number for number, row in self.rows.items()}
        entries = {row.pk: number for number, row in self.line.items()}
        names: dict[Any, Resource] = {
            s.pk: room for s, room in zip(World.spaces, ROOMS, strict=True)
        }
        names[-World.pool.pk] = POOL
        with connection.cursor() as cursor:
            cursor.execute(LISTING, {"now": self.now})
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
