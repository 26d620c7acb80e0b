"""What every wb1 device says and what it takes orders by, whatever it is behind. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from base_ops.core.errors import Invalid
from devices.domain import capabilities, moves
from devices.edge import orders
from devices.edge.orders import Answer, Memory, Order
from devices.edge.packets import Message


class Voice:
    """One device on MQTT: its session, its versions, and the discipline of its orders."""

    def __init__(
        self,
        *,
        code: str,
        kind: str,
        model: str,
        ops: frozenset[str] = frozenset({"set"}),
        memory: Memory | None = None,
    ) -> None:
        self.code, self.kind, self.model, self._ops = code, kind, model, ops
        self.memory = memory or Memory()
        self.session = ""
        self.version = 0

    def topic(self, leaf: str) -> str:
        """Our topic of that name."""
        return f"wb1/d/{self.code}/{leaf}"

    def boot(self, session: str) -> None:
        """A new session: versions from the start."""
        self.session, self.version = session, 1

    def admit(self, message: Message, now_ms: int) -> tuple[Order | None, list[Message]]:
        """The order to begin now, or None; and what to answer when it is not begun."""
        order = orders.read(message.payload)
        if order is None:
            return None, [self.event(now_ms, "bad_command")]
        if known := self.memory.recall(order.id):
            return None, [self.answer(known)]
        if order.exp <= now_ms and not message.retain:
            return None, [self.too_late(order)]
        if refusal := self._refusal(order, retained=message.retain, now_ms=now_ms):
            return None, [self.settle(refusal)]
        return order, []

    def settle(self, answer: Answer) -> Message:
        """Remember an answer, and say it."""
        self.memory.keep(answer)
        return self.answer(answer)

    def too_late(self, order: Order) -> Message:
        """This copy of an order is too old; a fresh one of the same order may still be obeyed."""
        self.memory.forget(order.id)
        return self.answer(Answer(order.id, "expired"))

    def _refusal(self, order: Order, *, retained: bool, now_ms: int) -> Answer | None:
        if retained:
            return Answer(order.id, "rejected", "retained")
        if fenced := self.memory.fenced(order, now_ms):
            return fenced
        if order.if_v is not None and order.if_v != self.version:
            return Answer(order.id, "rejected", "version", self.version)
        return self._unable(order)

    def _unable(self, order: Order) -> Answer | None:
        check = _CHECKS.get(order.op)
        if check is None or order.op not in self._ops:
            return Answer(order.id, "rejected", "unknown_op")
        try:
            check(order.state, kind=self.kind, model=self.model)
        except Invalid as fault:
            return Answer(order.id, "rejected", fault.code)
        return None

    def status(self, now_ms: int, *, online: bool) -> Message:
        """We come or go; also the will."""
        body = {"online": online, "session": self.session, "ts": now_ms}
        return self._message("$status", body, retain=True)

    def meta(self, **facts: Any) -> Message:
        """Who we are: firmware, serial, ranges."""
        return self._message(
            "$meta", {"kind": self.kind, "model": self.model, **facts}, retain=True
        )

    def report(
        self, now_ms: int, state: Mapping[str, Any], *, cause: str | None = None
    ) -> Message:
        """The whole state as it is now."""
        body = {"v": self.version, "session": self.session, "ts": now_ms, "state": state}
        return self._message("state", body | ({"cause": cause} if cause else {}), retain=True)

    def tele(self, now_ms: int, metrics: Mapping[str, float]) -> Message:
        """Measurements."""
        return self._message("tele", {"ts": now_ms, "m": metrics}, qos=0)

    def event(self, now_ms: int, name: str, data: Mapping[str, Any] | None = None) -> Message:
        """An edge or a fault."""
        return self._message("event", {"ts": now_ms, "name": name, "data": data or {}})

    def answer(self, answer: Answer) -> Message:
        """What became of an order."""
        return self._message("ack", answer.as_json())

    def _message(
        self, leaf: str, body: Mapping[str, Any], *, qos: int = 1, retain: bool = False
    ) -> Message:
        return Message(self.topic(leaf), msgspec.json.encode(body), qos, retain)


_CHECKS = {"set": capabilities.check, "move": moves.check}
