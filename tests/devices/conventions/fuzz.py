"""Strangers' messages as no maker would send them: real ones, bent in seeded ways."""

import copy
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from devices.domain import messages
from devices.domain.capabilities import BadState, NotControllable
from devices.domain.conventions.convention import Heard, Memory
from devices.domain.conventions.homeassistant import HomeAssistant
from devices.domain.conventions.homeassistant.binding import HomeAssistantDevice
from devices.domain.conventions.plain import is_plain_object
from devices.domain.conventions.refusal import BadDiscovery, CodecError
from tests.devices.conventions import vectors

_AT = 1_780_000_000_000
_JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "\x00",
    "\ud800",
    "None",
    "nan",
    "inf",
    "-0",
    "~",
    "a/#/b",
    "+",
    "#",
    "$SYS/x",
    "x" * 5000,
    "开播",
    [],
    [None],
    ["a", "a"],
    [[["mac", "x"]]],
    {},
    {"a": {"b": {"c": 1}}},
    "{{ value_json.x }}",
    "{{ value_json",
    "{{ 'a' * 10**9 }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{{ value | regex_match('(a+)+$') }}",
    "{{ ''.__class__ }}",
    "{{ value | unpack('>Q') }}",
    "{{ '\\ud800' }}{{ '\\x00' }}",
)
_BYTES = (b"", b"\x00", b"\xff\xfe", b"NaN", b"1e999", b'"\\ud800"', b"[" * 5000, b"{" * 100)


def _bend(value: Any, rng: random.Random, depth: int = 0) -> Any:
    """The value with something wrong somewhere."""
    if depth > 4 or rng.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return copy.deepcopy(rng.choice(_JUNK))
    bent = value.copy()
    place: Any = rng.choice(list(bent)) if isinstance(bent, dict) else rng.randrange(len(bent))
    match rng.randrange(5):
        case 0:
            del bent[place]
        case 1 if isinstance(bent, dict):
            bent[rng.choice((*bent, "~", "cmps", "dev", "avty", "schema", "qos"))] = bent[place]
        case _:
            bent[place] = _bend(bent[place], rng, depth + 1)
    return bent


def _bent_bytes(payload: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(_BYTES)
    if kind == 1:
        return payload[: rng.randrange(len(payload) + 1)]
    if kind == 2 and payload:
        spot = rng.randrange(len(payload))
        return payload[:spot] + bytes([rng.randrange(256)]) + payload[spot + 1 :]
    try:
        value = json.loads(payload)
    except ValueError:
        return json.dumps(rng.choice(_JUNK)).encode()
    return json.dumps(_bend(value, rng)).encode()


@dataclass(frozen=True)
class _Source:
    """One announcement, and what its device was heard saying."""

    topic: str
    payload: bytes
    own: list[tuple[str, bytes]]


@dataclass
class _Bound:
    """A device that was announced."""

    binding: HomeAssistantDevice
    memory: Memory
    own: list[tuple[str, bytes]]


class Fuzz:
    """Sends bent messages to the convention; `refused` counts by reason."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._convention = HomeAssistant()
        self._sources = _sources()
        self._payloads = [p for source in self._sources for _, p in source.own]
        self._bound: list[_Bound] = []
        self.refused: dict[str, int] = {}
        self.accepted = 0

    def send(self, count: int) -> None:
        """So many messages and commands. Raises whatever must not be raised."""
        for _ in range(count):
            draw = self._rng.random()
            if draw < 0.25 or not self._bound:
                self._announce()
            elif draw < 0.9:
                self._speak()
            else:
                self._tell()

    def _count(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def _announce(self) -> None:
        source = self._rng.choice(self._sources)
        topic, payload = source.topic, source.payload
        if self._rng.random() < 0.8:
            payload = _bent_bytes(payload, self._rng)
        if self._rng.random() < 0.05:
            topic = topic.replace("/", self._rng.choice(("//", "/+", "\x00", "é")), 1)
        try:
            found = self._convention.discover(topic, payload, retained=True)
            if found is None or not found.devices:
                return None
            document = json.loads(json.dumps(found.devices[0].document))
            assert len(found.devices[0].key) <= 255
            binding = self._convention.bind({topic: document}, "d")
        except CodecError as exc:
            return self._count(_said(exc))
        self.accepted += 1
        if len(self._bound) >= 60:
            self._bound.pop(self._rng.randrange(len(self._bound)))
        self._bound.append(_Bound(binding, binding.begin(_AT), source.own))
        return None

    def _speak(self) -> None:
        bound = self._rng.choice(self._bound)
        if bound.own and self._rng.random() < 0.6:
            topic, payload = self._rng.choice(bound.own)
        else:
            topic = self._rng.choice(sorted(bound.binding.topics) or ["nowhere"])
            payload = self._rng.choice(self._payloads)
        if self._rng.random() < 0.5:
            payload = _bent_bytes(payload, self._rng)
        retained = self._rng.random() < 0.2
        try:
            heard = bound.binding.heard(
                bound.memory, topic, payload, retained=retained, now_ms=_AT
            )
        except CodecError as exc:
            return self._count(exc.reason)
        for fault in heard.faults:
            assert fault.why.isprintable()
            self._count(fault.reason)
        check(heard)
        due = bound.binding.due_ms(heard.memory)
        if due is not None and self._rng.random() < 0.1:
            heard = bound.binding.passed(heard.memory, due)
            check(heard)
        self.accepted += 1
        bound.memory = heard.memory
        return None

    def _tell(self) -> None:
        bound = self._rng.choice(self._bound)
        binding, memory = bound.binding, bound.memory
        keys = [*binding.capabilities, "no such key"]
        state = {
            self._rng.choice(keys): self._rng.choice((*_JUNK, True, 50, "ON", [1, 2, 3], 3000))
            for _ in range(self._rng.randrange(3))
        }
        order = messages.Outgoing(
            "c", "d", "set", state, datetime(2030, 1, 1, tzinfo=UTC), None, "t", None
        )
        try:
            outs = binding.encode(memory, order, _AT)
        except (BadState, NotControllable) as exc:
            return self._count(exc.code)
        assert outs
        for out in outs:
            assert out.topic
            assert not {"+", "#"} & set(out.topic)
        check(binding.sent(memory, order, _AT))
        assert binding.observed(memory, order) in (True, False, None)
        self.accepted += 1
        return None


def _said(refusal: CodecError) -> str:
    """The reason; a refused announcement says where and why, printably."""
    if isinstance(refusal, BadDiscovery):
        assert refusal.why
        assert str(refusal).isprintable()
    return refusal.reason


def check(heard: Heard) -> None:
    """What comes out can be stored and passed on."""
    json.dumps(heard.memory, allow_nan=False)
    for message in heard.said:
        match message:
            case messages.State():
                assert is_plain_object(message.state), message
                json.dumps(message.state, allow_nan=False).encode()
            case messages.Event():
                assert is_plain_object(message.data), message
                json.dumps(message.data, allow_nan=False)
            case messages.Tele():
                json.dumps(message.metrics, allow_nan=False)
                assert all(len(name) <= 48 for name in message.metrics)
            case messages.Status() | messages.Meta() | messages.Ack():
                pass


def _sources() -> list[_Source]:
    files = ("ha_availability", "ha_camera", "ha_control", "ha_discovery", "ha_light", "ha_sensor")
    found: list[_Source] = []
    for name in (*files, "third_party", "z2m"):
        for vector in vectors.load(name):
            recvs = [step["recv"] for step in vector["steps"] if "recv" in step]
            said = [(recv["topic"], vectors.payload_of(recv)) for recv in recvs]
            own = [pair for pair in said if not pair[0].endswith("/config")]
            found += [_Source(*pair, own) for pair in said if pair[0].endswith("/config")]
    corpus = vectors.load("z2m_discovery_corpus")
    return found + [_Source(m["topic"], vectors.payload_of(m), []) for m in corpus]
