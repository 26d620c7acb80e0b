"""A bad line between bridge and broker, and kills of both: no command lost, doubled or late.

Each round is seeded: some fault begins, people of the base and a tenant command the lights of two
rooms, in some rounds the tenant's right is taken back meanwhile, and the line heals. Then every
command must have ended as its device says, and what is reported must be what is so.

`BASE_OPS_FAULT_ROUNDS=200` runs as many (a nightly's work: some 20 minutes, mostly of waiting).
"""

import contextlib
import os
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import Actor
from base_ops.core.models import Role, Space
from devices import services
from devices.domain.messages import ON_THE_WIRE
from devices.models import Command, Device, Shadow
from tests import brokers, make
from tests.brokers import Broker
from tests.devices.bridge import rig
from tests.devices.bridge.rig import Play
from tests.faults.proxy import KINDS, Fault, Proxy
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("BASE_OPS_FAULT_ROUNDS", "21"))
KILL_BROKER, KILL_BRIDGE = "kill broker", "kill bridge"
ALL = (*KINDS, KILL_BROKER, *KINDS, KILL_BROKER, *KINDS, KILL_BRIDGE)
LIGHTS = 4  # of each room
HEALS_S = 30.0
LONG_S, SHORT_S = 28.0, 2.5
ENDED = ("done", "rejected", "failed", "expired")


@dataclass
class Base:
    """Everything that a round plays with."""

    broker: Broker
    proxy: Proxy
    play: Play
    staff: Actor
    tenant: Actor
    rooms: tuple[Space, Space]
    lights: tuple[list[Device], list[Device]]
    bridge: subprocess.Popen[bytes] | None = None
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    begun: dict[str, list[int]] = field(default_factory=dict)

    def start_bridge(self) -> None:
        """As a process of its own, behind the proxy."""
        self.bridge = self.stack.enter_context(rig.bridge_process(self.proxy))

    def kill_bridge(self) -> None:
        """kill -9, and another one in its place."""
        assert self.bridge is not None
        self.bridge.kill()
        self.bridge.wait(10)
        self.start_bridge()

    def listen(self) -> None:
        """Note which orders each device begins, and when."""
        for member in self.play.fleet.members:
            voice = member.device.voice
            admit = voice.admit

            def noting(message: Any, now_ms: int, admit: Any = admit) -> Any:
                order, out = admit(message, now_ms)
                if order is not None:
                    self.begun.setdefault(order.id, []).append(now_ms)
                return order, out

            voice.admit = noting  # type: ignore[method-assign]  # an ear, nothing else


@pytest.fixture
def base() -> Iterator[Base]:
    tenant = make.tenant()
    staff, guest = make.user(Role.MANAGER).actor, make.user(Role.TENANT_ADMIN, tenant=tenant).actor
    rooms = make.space(), make.space()
    lights = tuple(
        [rig.device(f"N{r}{n}", space=room) for n in range(LIGHTS)] for r, room in enumerate(rooms)
    )
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(brokers.running())
        proxy = stack.enter_context(Proxy(broker.port, seed=4).running())
        play = stack.enter_context(rig.simulator(broker, [*lights[0], *lights[1]]))
        made = Base(broker, proxy, play, staff, guest, rooms, (lights[0], lights[1]), stack=stack)
        made.listen()
        made.start_bridge()
        eventually(lambda: is_so(made), 60)
        yield made


def is_so(base: Base) -> bool:
    """Whether what the base shows of each device is what the device is, and as fresh."""
    rows = Shadow.objects.select_related("device")
    seen = {s.device.code: (s.link, s.reported) for s in rows}
    now = {m.device.spec.code: ("online", dict(m.device.state)) for m in base.play.fleet.members}
    return seen == now


@dataclass
class Round:
    """What was asked, and what must hold of it."""

    number: int
    kind: str
    must: list[Command] = field(default_factory=list)
    may: list[Command] = field(default_factory=list)
    by_right: list[Command] = field(default_factory=list)
    revoked_at: datetime | None = None


def test_no_command_is_lost_doubled_late_or_outside_its_right(base: Base) -> None:
    for number in range(ROUNDS):
        rng = random.Random(f"network:{number}")
        kind = ALL[number % len(ALL)]
        played = Round(number, kind)
        services.grant_control(
            space=base.rooms[1], tenant_id=base.tenant.tenant_id or 0, booking_code="BKN",
            until=clock.now() + timedelta(hours=1), now=clock.now(),
        )  # fmt: skip
        _break(base, kind, rng)
        _command(base, played, rng)
        _heal(base, kind, rng)
        if played.revoked_at is None and rng.random() < 0.5:
            _revoke(played)
        try:
            eventually(partial(_has_ended, played), LONG_S + 15)
            eventually(lambda: is_so(base), HEALS_S)
            _judge(base, played)
        except AssertionError as exc:
            raise AssertionError(f"round {number}, {kind}: {exc}") from exc

    assert base.proxy.harmed > ROUNDS


def _break(base: Base, kind: str, rng: random.Random) -> None:
    if kind == KILL_BROKER:
        base.broker.kill()
    elif kind in KINDS:
        base.proxy.fault(Fault(kind, delay_s=rng.uniform(0.1, 0.8)))


def _heal(base: Base, kind: str, rng: random.Random) -> None:
    time.sleep(rng.uniform(0.2, 1.2))  # how long it is broken, not how long we wait for an effect
    if kind == KILL_BROKER:
        base.broker.start()
    elif kind == KILL_BRIDGE:
        base.kill_bridge()
    else:
        base.proxy.heal()


def _command(base: Base, played: Round, rng: random.Random) -> None:
    """The base's people in the one room, some in a hurry; the tenant in the other."""
    for n, light in enumerate(base.lights[0]):
        ttl_s = SHORT_S if n == 0 else LONG_S
        command = _wish(light, base.staff, played, rng, ttl_s)
        (played.may if n == 0 else played.must).append(command)
        time.sleep(rng.uniform(0, 0.1))
    for light in base.lights[1]:
        played.by_right.append(_wish(light, base.tenant, played, rng, 12.0))
    if rng.random() < 0.5:
        _revoke(played)


def _wish(light: Device, who: Actor, played: Round, rng: random.Random, ttl_s: float) -> Command:
    state = {"power": True, "brightness": round(rng.uniform(1, 99), 3)}
    return services.send_command(
        device=light, state=state, actor=who, now=clock.now(), ttl_s=ttl_s
    )


def _revoke(played: Round) -> None:
    played.revoked_at = clock.now()
    services.revoke_control(booking_code="BKN", now=played.revoked_at)


def _has_ended(played: Round) -> bool:
    ids = [c.pk for c in (*played.must, *played.may, *played.by_right)]
    services.expire_commands(clock.now())
    return not Command.objects.filter(pk__in=ids).exclude(status__in=ENDED).exists()


def _judge(base: Base, played: Round) -> None:
    now = {c.pk: c for c in Command.objects.all()}
    for command in (*played.must, *played.may, *played.by_right):
        row, begun = now[command.pk], base.begun.get(command.pk, [])
        said = f"{row.status} {row.code} of {command.state}, begun at {begun}"
        assert len(begun) <= 1, f"doubled: {said}"
        assert all(at < command.expires_at.timestamp() * 1000 for at in begun), f"late: {said}"
        if row.status == "done":
            assert begun, f"done, but never begun: {said}"
        elif row.status in ("rejected", "expired"):
            assert not begun, f"begun, but {said}"
        else:  # the answer was lost with the broker that had taken it
            assert played.kind == KILL_BROKER or not begun, f"lost: {said}"
    for command in played.must:
        assert now[command.pk].status == "done" or played.kind == KILL_BROKER, "lost"
        assert base.begun.get(command.pk), "a valid command was never carried out"
    if played.revoked_at is not None:
        last_ms = (played.revoked_at + ON_THE_WIRE).timestamp() * 1000
        for command in played.by_right:
            at = base.begun.get(command.pk, [0])[0]
            assert at <= last_ms, f"outside its right by {at - last_ms} ms"
