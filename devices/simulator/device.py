"""One simulated wb1 device: a state machine that is handed commands and the time. No I/O."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from base_ops.core.errors import Invalid
from devices.domain import capabilities
from devices.simulator import measuring, orders, physics
from devices.simulator.orders import Answer, Order
from devices.simulator.packets import Message
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
        self.state = physics.first_state(spec)
        self.session = ""
        self.version = 0
        self._memory = orders.Memory()
        self._due: list[_Due] = []
        self._tele_at_ms = self._crowd_at_ms = 0
        room.devices.append(self)

    def topic(self, leaf: str) -> str:
        """Our topic of that name."""
        return f"wb1/d/{self.spec.code}/{leaf}"

    def boot(self, now_ms: int) -> None:
        """Power came: a new session, versions from the start."""
        self.session = f"{now_ms:x}-{self._rng.getrandbits(32):08x}"
        self.version = 1
        self._tele_at_ms = now_ms + int(self._rng.uniform(0, self._period_ms()))
        self._crowd_at_ms = now_ms

    def will(self, now_ms: int) -> Message:
        """What the broker says in our name when we fall silent."""
        return self._status(now_ms, online=False)

    def announce(self, now_ms: int) -> list[Message]:
        """Who we are and how we are, after each connect; all retained."""
        meta = {
            "kind": self.spec.kind,
            "model": self.spec.model,
            "firmware": FIRMWARE,
            "serial": f"SIM-{self.spec.code}",
            "ranges": capabilities.describe(kind=self.spec.kind, model=self.spec.model),
        }
        return [
            self._status(now_ms, online=True),
            self._message("$meta", meta, retain=True),
            self._report(now_ms),
        ]

    def farewell(self, now_ms: int) -> list[Message]:
        """The orderly end of a session."""
        return [self._status(now_ms, online=False)]

    def receive(self, message: Message, now_ms: int) -> list[Message]:
        """Answer a command: refused, known already, or begun."""
        order = orders.read(message.payload)
        if order is None:
            return [self._event(now_ms, "bad_command")]
        if known := self._memory.recall(order.id):
            return [self._answer(known)]
        if refusal := self._refusal(order, retained=message.retain, now_ms=now_ms):
            self._memory.keep(refusal)
            return [self._answer(refusal)]
        return self._begin(order, now_ms)

    def next_ms(self) -> int:
        """When `tick` has something to do."""
        times = [self._tele_at_ms, *(d.at_ms for d in self._due)]
        if until := self._until():
            times.append(until)
        if self._watches_people:
            times.append(self._crowd_at_ms)
        return min(times)

    def tick(self, now_ms: int) -> list[Message]:
        """Do all that is due."""
        self.room.advance(now_ms)
        out = self._finish_due(now_ms) + self._stop_at_end(now_ms)
        if self._watches_people and now_ms >= self._crowd_at_ms:
            out += self._look_around(now_ms)
        if now_ms >= self._tele_at_ms:
            out.append(self._measure(now_ms))
        return out

    def _refusal(self, order: Order, *, retained: bool, now_ms: int) -> Answer | None:
        if retained:
            return Answer(order.id, "rejected", "retained")
        if order.exp <= now_ms:
            return Answer(order.id, "expired")
        if order.op != "set":
            return Answer(order.id, "rejected", "unknown_op")
        if order.if_v is not None and order.if_v != self.version:
            return Answer(order.id, "rejected", "version", self.version)
        try:
            capabilities.check(order.state, kind=self.spec.kind, model=self.spec.model)
        except Invalid as fault:
            return Answer(order.id, "rejected", fault.code)
        return None

    def _begin(self, order: Order, now_ms: int) -> list[Message]:
        out = self._supersede(order)
        at = now_ms
        steps = physics.phases(self.spec, self.state, order.state, self._rng.random)
        for step in steps:
            at += int(step.after_ms)
            self._due.append(_Due(at, step.changes, order.id, last=step is steps[-1]))
        accepted = Answer(order.id, "accepted")
        self._memory.keep(accepted)
        return [*out, self._answer(accepted)]

    def _supersede(self, order: Order) -> list[Message]:
        """An order still under way for the same values gives way to the newer one."""
        touched = order.state.keys()
        beaten = {d.order_id for d in self._due if d.changes.keys() & touched}
        self._due = [d for d in self._due if d.order_id not in beaten]
        answers = [Answer(known, "failed", "superseded") for known in beaten if known]
        for answer in answers:
            self._memory.keep(answer)
        return [self._answer(answer) for answer in answers]

    def _finish_due(self, now_ms: int) -> list[Message]:
        ready = sorted((d for d in self._due if d.at_ms <= now_ms), key=lambda d: d.at_ms)
        self._due = [d for d in self._due if d.at_ms > now_ms]
        out: list[Message] = []
        for due in ready:
            out += self._change(due.changes, now_ms, cause=due.order_id if due.last else None)
            if due.last and due.order_id:
                done = Answer(due.order_id, "done", v=self.version)
                self._memory.keep(done)
                out.append(self._answer(done))
        return out

    def _until(self) -> int:
        """When a live encoder stops by itself, in ms; 0 for never."""
        return int(self.state.get("until") or 0) if self.state.get("run") == "live" else 0

    def _stop_at_end(self, now_ms: int) -> list[Message]:
        if not (until := self._until()) or now_ms < until:
            return []
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
        return self._message("tele", {"ts": now_ms, "m": metrics}, qos=0)

    def _period_ms(self) -> float:
        return measuring.period_s(self.spec, self.state) * 1000

    def _change(
        self, changes: Mapping[str, Any], now_ms: int, *, cause: str | None = None
    ) -> list[Message]:
        self.room.advance(now_ms)
        was_slow = self._period_ms()
        self.state.update(changes)
        self.version += 1
        if self._period_ms() < was_slow:
            self._tele_at_ms = now_ms + int(self._period_ms())
        return [self._report(now_ms, cause=cause)]

    def _status(self, now_ms: int, *, online: bool) -> Message:
        body = {"online": online, "session": self.session, "ts": now_ms}
        return self._message("$status", body, retain=True)

    def _report(self, now_ms: int, *, cause: str | None = None) -> Message:
        body = {"v": self.version, "session": self.session, "ts": now_ms, "state": self.state}
        return self._message("state", body | ({"cause": cause} if cause else {}), retain=True)

    def _answer(self, answer: Answer) -> Message:
        return self._message("ack", answer.as_json())

    def _event(self, now_ms: int, name: str) -> Message:
        return self._message("event", {"ts": now_ms, "name": name, "data": {}})

    def _message(
        self, leaf: str, body: Mapping[str, Any], *, qos: int = 1, retain: bool = False
    ) -> Message:
        return Message(self.topic(leaf), msgspec.json.encode(body), qos, retain)
