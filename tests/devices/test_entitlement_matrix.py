"""Who may move what, where and when: every cell, at each of the three places that decide.

A cell is a role, a room (its own, another's, nobody's) and a moment. It is asked at the door (API
and service), again of a command that is in the queue at that moment (whoever let it in), and of
the bytes that the bridge would send, as a device reads them.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.models import Role, Space, Tenant
from devices import services
from devices.domain import codec
from devices.domain.entitlement import NotEntitled
from devices.domain.messages import ON_THE_WIRE, Ack, Outgoing
from devices.domain.ulid import Mint
from devices.edge.orders import Answer
from devices.edge.packets import Message
from devices.edge.voice import Voice
from devices.models import Command, Device, Grant
from tests import make as base
from tests.devices import make
from tests.devices.test_api import Caller

pytestmark = pytest.mark.django_db
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ROLES = ("tenant_admin", "tenant_member", "manager", "technician", "admin", "finance", "liaison")
ROOMS = ("own", "others", "nobodys")
FLOOR = {"manager", "technician", "admin"}
TENANTS = {"tenant_admin", "tenant_member"}
LIVE = {"during", "a second before the end"}
_mint = Mint()


@dataclass
class World:
    """Two tenants with a room each, a third room that nobody has, one caller per role."""

    begins: datetime
    rooms: dict[str, Space]
    callers: dict[str, Caller]
    mine: Tenant
    other: Tenant

    @property
    def ends(self) -> datetime:
        return self.begins + HOUR

    @property
    def moments(self) -> dict[str, datetime]:
        return {
            "before check-in": self.begins - SECOND,
            "during": self.begins + HOUR / 2,
            "a second before the end": self.ends - SECOND,
            "the end": self.ends,
            "a second after the end": self.ends + SECOND,
            "long after": self.ends + HOUR,
        }

    def check_in(self) -> None:
        for room, tenant in (("own", self.mine), ("others", self.other)):
            services.grant_control(
                space=self.rooms[room], tenant_id=tenant.pk, booking_code=f"BK-{room}",
                until=self.ends, now=self.begins,
            )  # fmt: skip

    def light(self, room: str) -> Device:
        """A new one: the commands of one device wait for each other."""
        return make.device("light", space=self.rooms[room], link="online")


@pytest.fixture
def world(now: datetime, monkeypatch: pytest.MonkeyPatch) -> World:
    mine, other = base.tenant(), base.tenant()
    callers = {
        role: Caller(
            base.user(Role(role), tenant=mine) if role in TENANTS else base.user(Role(role))
        )
        for role in ROLES
    }
    rooms = {room: base.space() for room in ROOMS}
    return World(now, rooms, callers, mine, other)


def may(role: str, room: str, moment: str) -> bool:
    """The whole policy."""
    if role in TENANTS:
        return room == "own" and moment in LIVE
    return role in FLOOR or role == "system"


def refused_with(role: str) -> int:
    """A tenant learns nothing of rooms that it does not hold; others learn that they may not."""
    return 404 if role in TENANTS else 403


def at_the_door(world: World, who: Actor, room: str, at: datetime) -> bool:
    try:
        services.send_command(device=world.light(room), state={"power": True}, actor=who, now=at)
    except NotEntitled:
        return False
    return True


def in_the_queue(world: World, who: Actor, room: str, at: datetime) -> Command:
    """A command that lies there, whoever let it in; under its right if there is one."""
    grant = Grant.objects.filter(space=world.rooms[room], tenant_id=who.tenant_id or 0).first()
    return Command.objects.create(
        id=_mint.new(make.ms(at)), device=world.light(room), state={"power": True},
        grant=grant, grant_epoch=grant.epoch if grant else None,
        actor_kind=who.kind, actor_id=who.id, actor_label=who.label, actor_role=who.role,
        actor_tenant_id=who.tenant_id, created_at=at - SECOND, expires_at=at + HOUR,
    )  # fmt: skip


def delivered(sent: Outgoing, at: datetime, device: Voice | None = None) -> tuple[bool, str]:
    """Whether a device begins what was sent, coming at that moment; else what it says."""
    published = codec.encode(sent)
    edge = device or Voice(code=sent.device, kind="light", model="LT-KEY-160")
    begun, out = edge.admit(Message(published.topic, published.payload, 1), make.ms(at))
    if begun is not None:
        return True, ""
    said = json.loads(out[0].payload)
    return False, said.get("code", said["st"])


def test_every_cell_at_the_door_in_the_queue_and_at_the_edge(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = set()
    for moment, at in world.moments.items():
        if moment == "during":
            world.check_in()
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        queued = {}
        for role, room in product((*ROLES, "system"), ROOMS):
            cell, allowed = (role, room, moment), may(role, room, moment)
            who = SYSTEM if role == "system" else world.callers[role].user.actor
            assert at_the_door(world, who, room, at) is allowed, cell
            if role != "system":
                path = f"/devices/{world.light(room).code}/commands"
                status, _ = world.callers[role].post(path, {"state": {"power": True}})
                assert status == (202 if allowed else refused_with(role)), cell
            queued[in_the_queue(world, who, room, at).pk] = cell
        sent = {c.pk: c for c in services.claim_commands(1000, at)}
        for pk, cell in queued.items():
            assert (pk in sent) is may(*cell), cell
            if pk in sent:
                at_the_edge(world, sent[pk].outgoing, cell, at)
            else:
                ended = Command.objects.get(pk=pk)
                assert (ended.status, ended.code) == ("rejected", "not_entitled"), cell
            cells.add(cell)

    assert len(cells) == 8 * 3 * 6


def at_the_edge(
    world: World, outgoing: Outgoing, cell: tuple[str, str, str], at: datetime
) -> None:
    """What may be sent is obeyed then; a tenant's no more at the end, whoever holds it up."""
    role, _, _ = cell
    sent = outgoing.sent_at(at)
    device = Voice(code=sent.device, kind="light", model="LT-KEY-160")
    assert delivered(sent, at, device) == (True, ""), cell
    if role not in TENANTS:
        assert sent.fence is None
        assert sent.expires_at == outgoing.expires_at
        return
    assert sent.fence is not None
    assert sent.fence.until == world.ends
    last = world.ends - SECOND / 1000
    assert delivered(outgoing, last) == (True, ""), cell
    for late in (world.ends, world.ends + SECOND, world.ends + HOUR):
        assert not delivered(outgoing, late)[0], cell
    assert delivered(outgoing, world.ends) == (False, "right_ended"), cell
    assert delivered(sent, at + ON_THE_WIRE)[0] is False, cell


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("moment", ["before check-in", "during", "the end"])
def test_the_system_starts_a_stream_only_where_somebody_holds_the_room(
    world: World, room: str, moment: str
) -> None:
    encoder = make.device("encoder", space=world.rooms[room], link="online")
    if moment != "before check-in":
        world.check_in()

    def start() -> bool:
        try:
            services.send_command(
                device=encoder, state={"run": "live"}, actor=SYSTEM, now=world.moments[moment]
            )
        except NotEntitled:
            return False
        return True

    assert start() is (moment == "during" and room != "nobodys")


def _queued(world: World, role: str, at: datetime) -> Command:
    return services.send_command(
        device=world.light("own"), state={"power": True},
        actor=world.callers[role].user.actor, now=at, ttl_s=60,
    )  # fmt: skip


@pytest.mark.parametrize("role", sorted(TENANTS))
@pytest.mark.parametrize("offset_s", [-1, 0, 1])
def test_what_was_queued_before_the_end_is_sent_only_before_it(
    world: World, role: str, offset_s: int
) -> None:
    world.check_in()
    command = _queued(world, role, world.ends - 5 * SECOND)

    sent = services.claim_commands(10, world.ends + offset_s * SECOND)

    assert [c.pk for c in sent] == ([command.pk] if offset_s < 0 else [])
    if offset_s >= 0:
        command.refresh_from_db()
        assert (command.status, command.code) == ("rejected", "not_entitled")


@pytest.mark.parametrize("role", sorted(TENANTS))
def test_what_was_sent_before_an_early_check_out_dies_within_two_seconds(
    world: World, role: str
) -> None:
    """Nobody can tell the device: the bridge is dead from here on."""
    world.check_in()
    at = world.begins + HOUR / 2
    _queued(world, role, at)
    (command,) = services.claim_commands(10, at)
    sent = command.outgoing.sent_at(at)

    services.revoke_control(booking_code="BK-own", now=at)

    assert ON_THE_WIRE <= 2 * SECOND
    assert delivered(sent, at + ON_THE_WIRE) == (False, "expired")
    assert services.claim_commands(10, at + 10 * SECOND) == []


@pytest.mark.parametrize("role", sorted(TENANTS))
def test_replayed_it_is_carried_out_once_and_never_for_a_right_that_was_given_anew(
    world: World, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.check_in()
    at = world.begins + HOUR / 2
    monkeypatch.setattr(clock, "now", lambda: at)
    who, path = world.callers[role], f"/devices/{world.light('own').code}/commands"
    first = who.post(path, {"state": {"power": True}}, key="replayed-1")
    again = who.post(path, {"state": {"power": True}}, key="replayed-1")
    (command,) = services.claim_commands(10, at)
    device = Voice(code=command.device.code, kind="light", model="LT-KEY-160")
    old = command.outgoing

    once = delivered(old, at, device)
    device.settle(Answer(old.id, "accepted"))
    twice = delivered(old, at, device)
    services.revoke_control(booking_code="BK-own", now=at)
    monkeypatch.setattr(clock, "now", lambda: at + SECOND)
    after = who.post(path, {"state": {"power": True}}, key="after-it-1")
    repeated = who.post(path, {"state": {"power": True}}, key="replayed-1")
    world.check_in()
    _queued(world, role, at + SECOND)
    newer = services.claim_commands(10, at + SECOND)[-1].outgoing
    device.code = newer.device

    assert first[0] == again[0] == 202
    assert first[1]["id"] == again[1]["id"] == repeated[1]["id"]
    assert after[0] == 404
    assert once == (True, "")
    assert twice == (False, "accepted")
    assert delivered(newer, at + SECOND, device) == (True, "")
    assert delivered(_renamed(old), at + SECOND, device) == (False, "fenced")
    assert Command.objects.filter(device__code=command.device.code).count() == 1


def _renamed(outgoing: Outgoing) -> Outgoing:
    """A copy that nobody has seen yet: only its right can give it away."""
    return Outgoing(**{**_fields(outgoing), "id": "01" + outgoing.id[2:][::-1]})


def _fields(outgoing: Outgoing) -> dict[str, Any]:
    return {name: getattr(outgoing, name) for name in outgoing.__slots__}


def test_a_copy_that_came_too_late_is_sent_again_while_the_command_is_valid(
    world: World,
) -> None:
    world.check_in()
    at = world.begins + HOUR / 2
    _queued(world, "tenant_member", at)
    (command,) = services.claim_commands(10, at)
    device = Voice(code=command.device.code, kind="light", model="LT-KEY-160")
    services.commands_published([command.pk], at)
    late = delivered(command.outgoing.sent_at(at), at + 3 * SECOND, device)

    services.command_acked([Ack(command.device.code, command.pk, "expired")], now=at + 3 * SECOND)
    (again,) = services.claim_commands(10, at + 6 * SECOND)

    assert late == (False, "expired")
    assert again.pk == command.pk
    assert delivered(again.outgoing.sent_at(at + 6 * SECOND), at + 7 * SECOND, device)[0]


@pytest.mark.parametrize("role", sorted(TENANTS))
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("camera", {"privacy": False}),
        ("camera", {"privacy": False, "until": 4_000_000_000_000}),
        ("camera", {"until": 4_000_000_000_000}),
        ("camera", {"until": 0}),
        ("encoder", {"run": "live"}),
        ("encoder", {"run": "live", "until": 4_000_000_000_000}),
    ],
)
def test_what_a_tenant_opens_ends_with_the_right_whatever_end_it_asks_for(
    world: World, role: str, kind: str, state: dict[str, Any]
) -> None:
    world.check_in()
    device = make.device(kind, space=world.rooms["own"], link="online")

    command = services.send_command(
        device=device, state=state, actor=world.callers[role].user.actor, now=world.begins
    )

    assert command.state["until"] == make.ms(world.ends)
