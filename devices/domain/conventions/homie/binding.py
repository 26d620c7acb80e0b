"""One Homie device."""

from collections.abc import Mapping
from typing import Any

from devices.domain import messages
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.brand import Brand, Told
from devices.domain.conventions.convention import Heard, Memory
from devices.domain.conventions.homie import payloads
from devices.domain.conventions.homie.description import STATES, Description, Property
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import text
from devices.domain.conventions.refusal import CodecError

MAX_VALUE = 2048
_AWAY = frozenset({"disconnected", "lost", ""})


class Homie(Brand):
    """Hears properties one by one, tells them by their set topics.

    `ready` is online, `lost` and `disconnected` are offline. `init` begins a new life: what it
    says then is held until it is ready. `sleeping` is neither: it will not hear a command, so it
    is told none, and its silence makes it stale by and by.
    """

    def __init__(self, device: str, described: Description) -> None:
        self._properties = described.properties
        self._own, self._root = f"{described.topic}/$state", f"{described.root}/$state"
        self._alert = f"{described.topic}/$alert/"
        topics = {self._own, f"{described.topic}/$alert/+", *described.properties}
        if described.root is not None:
            topics.add(self._root)
        super().__init__(
            device,
            topics=frozenset(topics),
            via=self._own,
            table={p.key: p.rule for p in described.properties.values() if p.rule is not None},
            reads=frozenset(p.key for p in described.properties.values() if not p.metric),
            silent=frozenset(p.key for p in described.properties.values() if not p.retained),
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        if topic in (self._own, self._root):
            self._lifecycle(journal, "own" if topic == self._own else "root", text(payload))
        elif one := self._properties.get(topic):
            self._value(journal, one, payload)
        elif topic.startswith(self._alert):
            self._alerted(journal, topic.removeprefix(self._alert), text(payload))
        else:
            raise CodecError("unknown-topic")

    def _lifecycle(self, journal: Journal, which: str, said: str) -> None:
        """Its own state counts only while its root, if it has one, is there."""
        if said not in STATES and said:
            raise CodecError("bad-value")
        memory = journal.memory
        before = memory.get("own")
        memory[which] = said
        own = memory.get("own")
        if _AWAY & {own, memory.get("root")}:
            if memory["online"] is not False:
                journal.went()
        elif own == "ready":
            self._ready(journal, same_life=which == "root")
        elif which == "own":
            if own == "init" and before != "init":
                journal.reborn()
            journal.unknown()

    def _ready(self, journal: Journal, *, same_life: bool) -> None:
        """There; what the broker keeps of its properties still holds, whoever was away."""
        memory = journal.memory
        if memory["online"] is False:
            known = memory["state"]
            if not same_life:
                journal.reborn()
            memory["state"], memory["held"] = known, True
            memory["online"] = None
        journal.came(vouched=True)

    def lost(self, memory: Memory, now_ms: int) -> Heard:
        """The line to the broker broke: what was said of presence holds no more."""
        lost = super().lost(memory, now_ms)
        return Heard({k: v for k, v in lost.memory.items() if k not in ("own", "root")})

    def _value(self, journal: Journal, one: Property, payload: bytes) -> None:
        """A value; of a device that is starting or asleep it waits until that is ready."""
        if journal.memory.get("own") in ("init", "sleeping"):
            journal.retained = True
        if not payload and one.retained:
            journal.report({} if one.metric else {one.key: None})
            return
        said = "\x00" if payload == b"\x00" else text(payload, longest=MAX_VALUE)
        value = payloads.decode(one.datatype, one.form, said)
        if value is payloads.BAD:
            raise CodecError("bad-value")
        if one.retained and not one.metric:
            journal.report({one.key: _ours(one, value)}, near=self._near)
            return
        journal.alive()
        if one.metric:
            journal.measured({one.metric: value * one.factor})
        else:  # a moment, not a state
            journal.happened(one.key, {"value": value})

    def _alerted(self, journal: Journal, name: str, said: str) -> None:
        if said and name:
            journal.happened("fault", {"alert": name[:64], "text": said[:256]})

    def _near(self, key: str, asked: object, reported: object) -> bool:
        one = next((p for p in self._properties.values() if p.key == key), None)
        if one is not None and one.scale is not None:
            step = 100 / (one.scale[1] - one.scale[0])
            return _apart(asked, reported) <= max(step / 2, 0.5) + 1e-9
        if one is not None and one.datatype in ("integer", "float") and key != "cct":
            step = (payloads.span(one.form) or payloads.Span()).step or 0
            return _apart(asked, reported) <= step / 2 + 1e-9
        return lamp.near(key, asked, reported)

    def _awaited(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Without a power of its own, 0 % is a brightness like any other."""
        return lamp.awaited(state) if "power" in self.capabilities else state

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        if memory.get("own") == "sleeping":
            raise lamp.refuse(next(iter(command.state)), "设备正在休眠", "the device sleeps")
        wanted = self._awaited(command.state)
        return [
            Told(f"{one.topic}/set", _theirs(one, wanted[one.key]), 2 if one.retained else 0)
            for one in self._properties.values()
            if one.key in wanted
        ]


def _apart(one: object, other: object) -> float:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other)
    return float("inf")


def _ours(one: Property, value: Any) -> Any:
    if one.scale is not None:
        low, high = one.scale
        percent = colour.half_up((value - low) * 100 / (high - low))
        return max(percent, 1) if value > low else 0
    if one.mired:
        return colour.kelvin(value)
    return value


def _theirs(one: Property, value: Any) -> str:
    if one.scale is not None:
        low, high = one.scale
        value = low + value * (high - low) / 100
    elif one.mired:
        value = 1_000_000 / value
    return payloads.encode(one.datatype, one.form, value)
