"""One simulated wb1 device: a state machine that is handed commands and the time. No I/O."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain import capabilities
from devices.edge.orders import Answer, Order
from devices.edge.packets import Message
from devices.edge.voice import Voice
from devices.simulator import measuring, physics
from devices.simulator.driving import Drive
from devices.simulator.plan import Spec
from devices.simulator.room import Room

FIRMWARE = "wb1-sim 1.0"
CROWD_PERIOD_MS = 10_000


@dataclass(frozen=True, slots=True)
class _Due:
    """A phase of an order whose time comes; `last` ends the order."""

    at_ms: int
    changes: Mapping[str, Any]
    order_id: str | None
    last: bool


class SimDevice:
    """Boots, reports, obeys and drifts; each method returns what to publish."""

    def __init__(self, spec: Spec, room: Room, rng: random.Random) -> None:
        self.spec, self.room, self._rng = spec, room, rng
        ops = frozenset({"set", "move"} if spec.model == "CAM-PTZ" else {"set"})
        self.voice = Voice(code=spec.code, kind=spec.kind, model=spec.model, ops=ops)
        self.state = physics.first_state(spec)
        self._due: list[_Due] = []
        self._drive: Drive | None = None
        self._tele_at_ms = self._crowd_at_ms = 0
        room.devices.append(self)

    @property
    def version(self) -> int:
        """How often the state has changed since the boot."""
        return self.voice.version

    def topic(self, leaf: str) -> str:
        """Our topic of that name."""
        return self.voice.topic(leaf)

    def boot(self, now_ms: int) -> None:
        """Power came: a new session, versions from the start."""
        self.voice.boot(f"{now_ms:x}-{self._rng.getrandbits(32):08x}")
        self._tele_at_ms = now_ms + int(self._rng.uniform(0, self._period_ms()))
        self._crowd_at_ms = now_ms

    def will(self, now_ms: int) -> Message:
        """What the broker says in our name when we fall silent."""
        return self.voice.status(now_ms, online=False)

    def announce(self, now_ms: int) -> list[Message]:
        """Who we are and how we are, after each connect; all retained."""
        ranges = capabilities.describe(kind=self.spec.kind, model=self.spec.model)
        serial = f"SIM-{self.spec.code}"
        return [
            self.voice.status(now_ms, online=True),
            self.voice.meta(firmware=FIRMWARE, serial=serial, ranges=ranges),
            self.voice.report(now_ms, self.state),
        ]

    def farewell(self, now_ms: int) -> list[Message]:
        """The orderly end of a session."""
        return [self.voice.status(now_ms, online=False)]

    def receive(self, message: Message, now_ms: int) -> list[Message]:
        """Answer a command: refused, known already, or begun."""
        order, out = self.voice.admit(message, now_ms)
        return self._begin(order, now_ms) if order else out

    def next_ms(self) -> int:
        """When `tick` has something to do."""
        times = [self._tele_at_ms, *(d.at_ms for d in self._due)]
        if until := self._until():
            times.append(until)
        if self._drive is not None:
            times.append(self._drive.until_ms)
        if self._watches_people:
            times.append(self._crowd_at_ms)
        return min(times)

    def tick(self, now_ms: int) -> list[Message]:
        """Do all that is due."""
        self.room.advance(now_ms)
        out = self._finish_due(now_ms) + self._stop_at_end(now_ms)
        if self._drive is not None and now_ms >= self._drive.until_ms:
            out += self._stand(now_ms)
        if self._watches_people and now_ms >= self._crowd_at_ms:
            out += self._look_around(now_ms)
        if now_ms >= self._tele_at_ms:
            out.append(self._measure(now_ms))
        return out

    def _begin(self, order: Order, now_ms: int) -> list[Message]:
        if order.op == "move":
            return self._move(order, now_ms)
        out = self._supersede(order)
        if self._drive is not None and self._drive.speeds.keys() & order.state.keys():
            out += self._stand(now_ms)
        at = now_ms
        steps = physics.phases(self.spec, self.state, order.state, self._rng.random)
        for step in steps:
            at += int(step.after_ms)
            self._due.append(_Due(at, step.changes, order.id, last=step is steps[-1]))
        return [*out, self.voice.settle(Answer(order.id, "accepted"))]

    def _move(self, order: Order, now_ms: int) -> list[Message]:
        """Drive from here; a deadman stops it, whoever is still there."""
        out = self._supersede(order) + (self._stand(now_ms) if self._drive else [])
        self._drive = Drive.of(order.state, now_ms)
        return [*out, self.voice.settle(Answer(order.id, "done", v=self.version))]

    def _stand(self, now_ms: int) -> list[Message]:
        """Stop where it has got to."""
        assert self._drive is not None
        place = self._drive.position(self.state, now_ms, model=self.spec.model)
        self._drive = None
        return self._change(place, now_ms)

    def _supersede(self, order: Order) -> list[Message]:
        """An order still under way for the same values gives way to the newer one."""
        touched = order.state.keys()
        beaten = {d.order_id for d in self._due if d.changes.keys() & touched}
        self._due = [d for d in self._due if d.order_id not in beaten]
        answers = [Answer(known, "failed", "superseded") for known in beaten if known]
        return [self.voice.settle(answer) for answer in answers]

    def _finish_due(self, now_ms: int) -> list[Message]:
        ready = sorted((d for d in self._due if d.at_ms <= now_ms), key=lambda d: d.at_ms)
        self._due = [d for d in self._due if d.at_ms > now_ms]
        out: list[Message] = []
        for due in ready:
            out += self._change(due.changes, now_ms, cause=due.order_id if due.last else None)
            if due.last and due.order_id:
                out.append(self.voice.settle(Answer(due.order_id, "done", v=self.version)))
        return out

    def _until(self) -> int:
        """When a live encoder stops, or an open camera closes, by itself, in ms; 0 for never."""
        shows = self.state.get("run") == "live" or self.state.get("privacy") is False
        return int(self.state.get("until") or 0) if shows else 0

    def _stop_at_end(self, now_ms: int) -> list[Message]:
        if not (until := self._until()) or now_ms < until:
            return []
        if self.spec.kind == "camera":
            parked = {axis: 0 for axis in ("pan", "tilt", "zoom") if axis in self.state}
            closed = {"privacy": True, "tally": "off", "until": 0}
            return self._change(closed | parked, now_ms)
        out = self._change({"run": "stopping"}, now_ms)
        stopped = {"run": "stopped", "until": 0}
        self._due.append(_Due(now_ms + 400, stopped, None, last=True))
        return out

    @property
    def _watches_people(self) -> bool:
        return self.spec.model == "SEN-PIR"

    def _look_around(self, now_ms: int) -> list[Message]:
        self._crowd_at_ms = now_ms + CROWD_PERIOD_MS
        seen = {"presence": self.room.crowd() > 0, "count": self.room.people}
        if seen["presence"] == self.state.get("presence"):
            return []
        return self._change(seen, now_ms)

    def _measure(self, now_ms: int) -> Message:
        self._tele_at_ms = now_ms + int(self._period_ms() * self._rng.uniform(0.95, 1.05))
        metrics = measuring.measure(self.spec, self.state, self.room, self._rng)
        return self.voice.tele(now_ms, metrics)

    def _period_ms(self) -> float:
        return measuring.period_s(self.spec, self.state) * 1000

    def _change(
        self, changes: Mapping[str, Any], now_ms: int, *, cause: str | None = None
    ) -> list[Message]:
        self.room.advance(now_ms)
        was_slow = self._period_ms()
        self.state.update(changes)
        self.voice.version += 1
        if self._period_ms() < was_slow:
            self._tele_at_ms = now_ms + int(self._period_ms())
        return [self.voice.report(now_ms, self.state, cause=cause)]
