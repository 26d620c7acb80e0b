"""A small base in which everything exists: two tenants, all roles, bookings in every state.

Whatever belongs to tenant B carries MARK, so that any answer which shows it to tenant A is seen.
"""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from base_ops.core import auth
from base_ops.core.models import Role, Space, Tenant, User
from base_ops.core.models.notices import Delivery
from base_ops.core.notifications import endpoints
from base_ops.core.spans import Span
from billing import importers
from billing import jobs as billing_jobs
from billing import services as billing
from booking import jobs as booking_jobs
from booking import services as booking
from booking.models import Booking
from booking.services import series
from devices import directory
from devices import jobs as devices_jobs
from devices import services as devices
from devices.domain.messages import Tele
from devices.models import Device
from devices.services import partitions
from tests import make
from tests.billing.data import demo
from tests.billing.world import finished, room
from tests.booking import lets
from tests.booking import series_world as repeated
from tests.booking import world as rooms
from tests.devices import make as things

MARK = "QZXW"
START = datetime(2026, 9, 15, 7, 2, tzinfo=UTC)  # 15:02 in Guangzhou, two minutes into a slot
HOUR = timedelta(hours=1)


@dataclass
class Moment:
    """The clock of this world; it only moves when told to."""

    at: datetime = START

    def now(self) -> datetime:
        """Takes the place of core.clock.now."""
        return self.at


@dataclass
class World:
    """Who is there, and by which token."""

    moment: Moment
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    spaces: list[Space] = field(default_factory=list)
    desks: Space = None  # type: ignore[assignment] # set before anybody asks
    mine: Tenant = None  # type: ignore[assignment]
    other: Tenant = None  # type: ignore[assignment]

    def token(self, role: str, *, fresh: bool = False) -> str:
        """The role's token; a fresh one when a request may have ended the last."""
        if fresh or role not in self.tokens:
            user = self.users[role]
            self.tokens[role], _ = auth.new_token(user=user, name="fuzz", now=self.moment.at)
        return self.tokens[role]

    def room_now(self) -> Space:
        """A room of its own for a booking that begins at once."""
        return rooms.studio()

    def half_hour(self) -> datetime:
        """The one that runs."""
        now = self.moment.at
        return now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)

    def booking_now(self) -> Booking:
        """A booking of tenant A that is about to begin, in a room of its own."""
        span = Span(self.half_hour(), self.half_hour() + HOUR)
        wish = booking.BookingWish(space=self.room_now(), tenant=self.mine, span=span)
        actor, now = self.users["manager"].actor, self.moment.at
        return booking.book(wish=wish, actor=actor, hold=False, now=now)


def build(moment: Moment) -> World:
    """Save all of it, through the real services."""
    directory.forget()
    partitions.forget()
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    world = World(moment)
    world.mine = make.tenant(code="TA-OWN", compliance_rating="A", credit_limit_fen=10**11)
    world.other = make.tenant(
        code=f"TB-{MARK}",
        name_zh=f"虚构·{MARK}有限公司",
        short_zh=f"{MARK}短",
        name_en=f"{MARK} Ltd (fictional)",
        compliance_rating="A",
        credit_limit_fen=10**11,
    )
    _people(world)
    _rooms(world)
    _history(world)
    _present(world)
    _money(world)
    _devices(world)
    _messages(world)
    return world


def _people(world: World) -> None:
    for role in Role:
        ours = {"tenant": world.mine} if role.value.startswith("tenant") else {}
        world.users[role.value] = make.user(role, **ours)
    world.users["rival"] = make.user(
        Role.TENANT_ADMIN, tenant=world.other, email=f"{MARK.lower()}@test.invalid", name=MARK
    )


def _rooms(world: World) -> None:
    world.spaces = [rooms.studio() for _ in range(4)]
    world.spaces.append(room("studio_single", unit_count=4, booking_mode="hourly"))
    world.desks = lets.desks(60)
    make.space(type=rooms.single(), bookable=False, booking_mode="none")
    for space in world.spaces:
        light = things.device("light", space=space)
        things.device("camera", space=space)
        devices.ingest([things.online(light, world.moment.at)], world.moment.at)


def _book(world: World, who: Tenant, at: datetime, start: datetime, **more: Any) -> Booking:
    title = f"{MARK} show" if who == world.other else "own show"
    space = more.pop("space")
    return rooms.booked(
        now=at, space=space, tenant=who, start_min=round((start - at).total_seconds() / 60),
        title=title, **more,
    )  # fmt: skip


def _history(world: World) -> None:
    """Yesterday: completed, cancelled, not shown up; of both tenants."""
    day = world.moment.at.replace(minute=0) - timedelta(days=1)
    slots = itertools.count()
    for who, space in ((world.mine, world.spaces[0]), (world.other, world.spaces[1])):
        staff = world.users["manager"].actor

        def next_booking(who: Tenant = who, space: Space = space) -> Booking:
            start = day - HOUR * 8 + HOUR * 2 * (next(slots) % 4)
            return _book(world, who, day - HOUR * 24, start, space=space)

        done, dropped, missed = next_booking(), next_booking(), next_booking()
        booking.check_in(booking=done, actor=staff, now=done.starts_at)
        booking.check_out(booking=done, actor=staff, now=done.ends_at)
        booking.cancel(booking=dropped, actor=staff, reason="x", now=day - HOUR * 20)
        booking_jobs.releases(missed.starts_at + HOUR)


def _present(world: World) -> None:
    """Today: checked in, held, confirmed, waiting for approval, expired; of both tenants."""
    now = world.moment.at
    slot = now.replace(minute=0)
    staff = world.users["manager"].actor
    for n, who in enumerate((world.mine, world.other)):
        inside = _book(world, who, now - HOUR, slot, space=world.spaces[n], minutes=120)
        booking.check_in(booking=inside, actor=staff, now=now)
        for k, hold in enumerate((True, False, False, True)):
            made = _book(
                world, who, now - (HOUR if k == 3 else timedelta(0)),
                slot + HOUR * (26 + 3 * k), space=world.spaces[n], hold=hold,
            )  # fmt: skip
            if k == 2:
                Booking.objects.filter(pk=made.pk).update(status="pending_approval")
    _for_long(world)


def _for_long(world: World) -> None:
    """Requests that wait for the base, and a series without one of its dates; of tenant A."""
    now, staff = world.moment.at, world.users["manager"].actor
    first = now.replace(minute=0) + timedelta(days=30)
    for n in range(6):
        made = _book(world, world.mine, now, first + HOUR * 2 * n, space=world.spaces[2])
        Booking.objects.filter(pk=made.pk).update(status="pending_approval", confirmed_at=None)
    asked = repeated.wish(world.spaces[3], world.mine, first, rrule="FREQ=DAILY;COUNT=4")
    made_of = repeated.create(asked, now)
    series.cancel(
        series=made_of.series, recurrence_id=first + timedelta(days=2), scope="this", reason="x",
        actor=staff, now=now,
    )  # fmt: skip


def _money(world: World) -> None:
    """August is invoiced to both; a run of September waits."""
    now, actor = world.moment.at, world.users["finance"].actor
    august = datetime(2026, 8, 18, 2, 0, tzinfo=UTC)
    for n, who in enumerate((world.mine, world.other)):
        start = august + HOUR * 5 * n
        finished(tenant=who, space=world.spaces[0], span=Span(start, start + HOUR * 4), now=now)
    run = billing.preview_run(
        period_from=august.date().replace(day=1), period_to=august.date().replace(day=31),
        actor=actor, now=now,
    )  # fmt: skip
    billing.approve_run(run_id=run.pk, inputs_hash=run.inputs_hash, actor=actor, now=now)
    billing.ask_issue(run_id=run.pk, actor=actor, now=now)
    assert billing.issue_due(now) == 2


def _devices(world: World) -> None:
    """What was measured, told and alarmed."""
    now, staff = world.moment.at, world.users["manager"].actor
    for space in world.spaces[:2]:
        light = Device.objects.get(space=space, kind="light")
        devices.ingest([Tele(light.code, things.ms(now), {"power_w": 12.5})], now)
        devices.send_command(device=light, state={"power": True}, actor=staff, now=now)
        devices.raise_space_alarm(space, "not_ready", {}, now)
    devices.apply_scene(space=world.spaces[2], scene="prepare", actor=staff, now=now)


def _messages(world: World) -> None:
    """A webhook of tenant A and one of the base's did not answer."""
    now = world.moment.at
    for who in (world.users["tenant_admin"], world.users["manager"]):
        wish = {"kind": "webhook", "name": "Orders", "url": "https://hooks.example.org/in"}
        made = endpoints.create(user=who, wish=wish, now=now)
        tried = endpoints.send_test(user=who, code=made.code, now=now)
        Delivery.objects.filter(pk=tried.pk).update(
            status="dead", attempts=8, attempted_at=now, ended_at=now, error="refused"
        )


def later(world: World, step: timedelta) -> None:
    """Let time pass, and everything happen that time alone brings about."""
    world.moment.at += step
    for job in (*devices_jobs.JOBS, *billing_jobs.JOBS, *booking_jobs.JOBS):
        job.run(world.moment.at)
