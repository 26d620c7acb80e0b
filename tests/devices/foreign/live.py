"""Vectors through the real thing: a broker, a bridge, the registry, the outbox.

Takes the place of the worlds in memory of tests/devices/conventions and tests/devices/natives:
what they hold in a dict is here in the database, on the wire, and in the running bridge.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from base_ops.core import clock
from base_ops.core.errors import DomainError
from devices import directory, services
from devices.bridge import foreign as foreign_line
from devices.bridge import snapshot
from devices.bridge.interpreting import Bound
from devices.bridge.line import parse_address
from devices.bridge.service import Bridge, Setup
from devices.domain.commands import OPEN
from devices.domain.conventions import filters
from devices.domain.conventions.convention import About, Convention
from devices.domain.conventions.wire import Published
from devices.models import Command, Device, Foreign, ForeignDocument, RegistrySettings
from devices.services import adopting, foreign
from tests.brokers import Broker
from tests.devices import make
from tests.devices.bridge import rig
from tests.devices.conventions import comparing
from tests.devices.conventions.wishes import wish
from tests.waiting import eventually

MARK = "marks/live"


class Live:
    """One running bridge for one convention, and everybody else on the broker."""

    def __init__(self, broker: Broker, convention: Convention) -> None:
        self.broker, self.convention = broker, convention
        self.ahead = timedelta(0)
        setup = Setup(parse_address(broker.url), "live", conventions={convention.name: convention})
        self.bridge = Bridge(setup, self.now)
        self.refused: list[str] = []
        self._marks = 0
        self._kept: set[str] = set()
        self._party: rig.Party | None = None

    def now(self) -> datetime:
        """The clock of this world; it can be put ahead."""
        return clock.now() + self.ahead

    @contextlib.contextmanager
    def running(self) -> Iterator["Live"]:
        """Connected, with a model and a room for whatever is adopted."""
        RegistrySettings.objects.update_or_create(
            pk=1, defaults={"adoption_needs_approval": False, "max_newcomers_per_hour": 10_000}
        )
        self._device = make.device()
        stop = threading.Event()
        thread = threading.Thread(target=self.bridge.run, args=(stop,), name="bridge")
        thread.start()
        try:
            with rig.party(self.broker, listen="#") as self._party:
                eventually(lambda: self.line.ready, why="the foreign line")
                yield self
        finally:
            stop.set()
            thread.join(timeout=10)

    @property
    def line(self) -> foreign_line.ForeignLine:
        """The bridge's part that is tried here."""
        return self.bridge.foreign

    @property
    def party(self) -> rig.Party:
        """Everybody else."""
        assert self._party is not None
        return self._party

    def say(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Publish, and wait until the bridge has dealt with it and with what follows."""
        before, counted = self.line.handled, dict(self.bridge.tally.refused)
        heard = any(filters.covers(f, topic) for f in self.line.interpreter.filters)
        self._say(topic, payload, retain=retained)
        if retained:
            self._kept.add(topic)
        if heard:
            eventually(lambda: self.line.handled > before, why=f"{topic} is dealt with")
        self.adopt()
        after = self.bridge.tally.refused
        self.refused = [r for r in after if after[r] > counted.get(r, 0)]

    def _say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as soon as the broker hears it: it may have been started just now."""

        def is_said() -> bool:
            with contextlib.suppress(RuntimeError):
                self.party.say(topic, payload, retain=retain)
                return True
            return False

        eventually(is_said, timeout_s=20, why=f"{topic} is said")

    def adopt(self) -> None:
        """Take whoever waits into service, and wait until the bridge speaks with them."""
        model, space = self._device.model, self._device.space
        assert model is not None
        assert space is not None
        for device in Device.objects.filter(status="quarantine").exclude(convention="wb1"):
            found = adopting.AdoptionWish(model, space, device.code, "", "")
            adopting.propose_adoption(
                code=device.code, wish=found, actor=make.MANAGER, now=clock.now()
            )
        self.settled()

    def settled(self) -> None:
        """Until all that is in service is bound as announced, and nothing is left to be read."""

        def is_settled() -> bool:
            rows = {r.device_id: r.digest for r in foreign.in_service()}
            faulty = set(Foreign.objects.exclude(fault="").values_list("device_id", flat=True))
            held = {pk: b.digest for pk, b in self.line.interpreter.bound.items()}
            wanted = {pk: d for pk, d in rows.items() if pk not in faulty}
            same = all(held.get(pk) == digest for pk, digest in wanted.items())
            return same and held.keys() <= rows.keys() and self.line.at_rest

        eventually(is_settled, why="all bound")

    def pass_time(self, seconds: float) -> None:
        """Put the clock ahead; the bridge notices by itself."""
        self.ahead += timedelta(seconds=seconds)

        def is_past() -> bool:
            now_ms = round(self.now().timestamp() * 1000)
            dues = [b.binding.due_ms(b.memory) for b in self.bound]
            return all(due is None or due > now_ms for due in dues)

        eventually(is_past, why="what was due has happened")

    def tell(self, device: Device, state: Mapping[str, Any]) -> tuple[Command, list[Published]]:
        """Send a command by the outbox; what went over the wire because of it.

        Raises:
            DomainError: refused at the door.
        """
        begun = len(self.party.heard)
        bound = self.line.interpreter.bound[device.pk]
        memory, now_ms = bound.memory, round(self.now().timestamp() * 1000)
        sent = services.send_command(
            device=device, state=state, actor=make.MANAGER, now=self.now(), ttl_s=60
        )
        eventually(
            lambda: Command.objects.get(pk=sent.pk).status != "queued", why="sent or refused"
        )
        self._marks += 1
        mark = str(self._marks).encode()
        self._say(MARK, mark)
        eventually(
            lambda: any(m.topic == MARK and m.payload == mark for m in list(self.party.heard)),
            why="the mark",
        )
        row = Command.objects.get(pk=sent.pk)
        Command.objects.filter(pk=sent.pk, status__in=OPEN).update(
            status="failed", ended_at=self.now()
        )  # the next one waits for nobody
        if row.status == "rejected":
            return row, []
        # rumqttd hands everything out at the QoS of the subscription, whatever was asked for.
        asked = [p.qos for p in bound.binding.encode(memory, row.outgoing, now_ms)]

        def heard() -> list[Any]:
            return [m for m in list(self.party.heard)[begun:] if m.topic != MARK]

        # At QoS 0 it counts as sent when it has left us.
        eventually(lambda: len(heard()) >= len(asked), why="all of it on the wire")
        return row, [
            Published(m.topic, m.payload, sent.expires_at, qos=qos)
            for m, qos in zip(heard(), asked, strict=True)
        ]

    @property
    def bound(self) -> list[Bound]:
        """The devices in service that are announced."""
        orphans = set(
            Device.objects.filter(orphaned_at__isnull=False).values_list("pk", flat=True)
        )
        found = list(self.line.interpreter.bound.values())
        return [b for b in found if b.device_id not in orphans]

    def clean(self) -> None:
        """Nobody was here: for the next vector."""
        for topic in sorted(self._kept):
            self._say(topic, b"", retain=True)
        self._kept.clear()
        before = self.line.handled
        self._say(self.convention.roots[0].replace("#", "x").replace("+", "x"), b"")
        eventually(lambda: self.line.handled > before, why="cleaned")
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE devices_device, devices_place CASCADE")
        directory.forget()
        self.settled()
        self.ahead = timedelta(0)


class LiveWorld:
    """A world for tests/devices/conventions/vectors.py."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.pictures: dict[str, bytes] = {}

    def recv(self, topic: str, payload: bytes, *, retained: bool) -> comparing.Result:
        """Deliver a message; cameras' pictures are not kept by the bridge, only understood."""
        self.live.say(topic, payload, retained=retained)
        for bound in self.live.bound:
            found: Any = bound.binding
            self.pictures |= found.pictures(topic, payload)
        return comparing.Result(refused=self.live.refused)

    def advance(self, seconds: float) -> comparing.Result:
        """Let time pass."""
        self.live.pass_time(seconds)
        return comparing.Result()

    def broker(self, what: str) -> comparing.Result:
        """The line breaks or comes back; see NOT_OVER_THE_WIRE."""
        raise NotImplementedError(what)

    def command(self, entity: str, service: str, data: Mapping[str, Any]) -> comparing.Result:
        """Tell an entity."""
        platform, uid = entity.split("/", 1)
        bound = next(b for b in self.live.bound if entity in self._views(b))
        found: Any = bound.binding
        keys = found.keys_of(platform, uid)
        state = {keys.get(part, part): value for part, value in wish(service, data).items()}
        device = Device.objects.select_related("model", "foreign").get(pk=bound.device_id)
        try:
            row, wire = self.live.tell(device, state)
        except DomainError as exc:
            return comparing.Result(command_refused=f"{exc} {exc.fields}")
        refused = row.code if row.status == "rejected" else ""
        return comparing.Result(published=wire, command_refused=refused)

    def about(self) -> dict[str, About]:
        """All devices by key, as they announce themselves."""
        rows = ForeignDocument.objects.filter(gone_at=None).order_by("topic")
        keys = dict(Foreign.objects.values_list("device_id", "key"))
        found: dict[str, list[About]] = {}
        for row in rows.select_related("device"):
            found.setdefault(keys[row.device_id], []).append(About(**row.about))
        return {key: foreign.merged(said) for key, said in found.items()}

    def views(self) -> dict[str, Any]:
        """All entities by `platform/uid`."""
        return {name: view for b in self.live.bound for name, view in self._views(b).items()}

    def _views(self, bound: Bound) -> dict[str, Any]:
        now_ms = round(self.live.now().timestamp() * 1000)
        found: Any = bound.binding
        return {f"{v.platform}/{v.uid}": v for v in found.views(bound.memory, now_ms)}


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """The bridge looks after things more often than in service."""
    kept = foreign_line.TICK_S, snapshot.QUIET_S
    foreign_line.TICK_S, snapshot.QUIET_S = 0.05, 0.25
    try:
        yield
    finally:
        foreign_line.TICK_S, snapshot.QUIET_S = kept
