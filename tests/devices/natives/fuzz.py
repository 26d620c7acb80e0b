"""Messages that are almost right: valid ones, broken where a device or an attacker would."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

NASTY: Sequence[Any] = (
    None,
    True,
    False,
    0,
    -1,
    255,
    256,
    65535,
    2**31,
    2**53,
    2**63,
    10**30,
    -0.0,
    0.5,
    1e-320,
    1e308,
    "",
    "ON",
    "TOGGLE",
    "\x00",
    "\u202e\U0001f4a1",
    "a" * 5000,
    "wb1/d/lamp/cmd",
    "+/#",
    "$SYS/broker",
    ";Reset 1",
    "1e-320:500",
    "0:1e-320:1e-320",
    "::",
    ",",
    [],
    {},
    [[]] * 300,
    {"power": {"power": {}}},
)
RAW = (
    b"NaN",
    b"Infinity",
    b"1e400",
    b'"\\ud800"',
    b'"\\u0000"',
    b"[" * 3000,
    b'{"a":' * 200,
    b"\xff\xfe",
    b"",
    b"\x00",
    b"null",
    b"<vs><ac>999</ac></vs>",
    b"#GGGGGG",
)


class Mangler:
    """Seeded."""

    def __init__(self, seed: int, samples: Sequence[tuple[str, bytes]]) -> None:
        self.random = random.Random(seed)
        self._samples = samples

    def message(self) -> tuple[str, bytes, bool]:
        """Topic, payload, and whether the broker kept it."""
        topic, payload = self.random.choice(self._samples)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
            topic, payload = self._break(topic, payload)
        return topic, payload, self.random.random() < 0.3

    def _break(self, topic: str, payload: bytes) -> tuple[str, bytes]:
        match self.random.randrange(10):
            case 0:
                return self.random.choice(self._samples)[0], payload
            case 1:
                return f"{topic}/{self.random.choice(('set', '', 'x', '$state'))}", payload
            case 2:
                return topic, self.random.choice(RAW)
            case 3:
                return topic, payload[: self.random.randrange(len(payload) + 1)]
            case 4:
                return topic, self._flip(payload)
            case _:
                return topic, self._inside(payload)

    def _flip(self, payload: bytes) -> bytes:
        if not payload:
            return b"\x80"
        at = self.random.randrange(len(payload))
        return payload[:at] + bytes([self.random.randrange(256)]) + payload[at + 1 :]

    def _inside(self, payload: bytes) -> bytes:
        """One value of the JSON replaced, dropped or written as no JSON has it."""
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError):
            return json.dumps(self.random.choice(NASTY)).encode()
        places = list(_places(value))
        if not places:
            return json.dumps(self.random.choice(NASTY)).encode()
        holder, key = self.random.choice(places)
        kind = self.random.random()
        if kind < 0.15 and isinstance(holder, dict):
            del holder[key]
        elif kind < 0.3:
            holder[key] = "@@"
            raw = self.random.choice(RAW).decode("latin-1")
            return json.dumps(value).replace('"@@"', raw).encode("latin-1")
        else:
            holder[key] = self.random.choice(NASTY)
        return json.dumps(value).encode()

    def wish(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """A state to ask for: mostly within the capabilities, often contradictory."""
        keys = self.random.sample(sorted(table), k=min(len(table), self.random.randrange(1, 5)))
        wish = {key: self._value(table[key].describe()) for key in keys}
        if self.random.random() < 0.2:
            key = self.random.choice([*table, "toggle", "constructor"])
            wish[key] = self.random.choice(NASTY)
        return wish

    def _value(self, rule: Mapping[str, Any]) -> Any:
        match rule["type"]:
            case "flag":
                return self.random.random() < 0.5
            case "number":
                low, high = rule["min"], rule["max"]
                value = self.random.choice((low, high, self.random.uniform(low, high)))
                return int(value) if self.random.random() < 0.6 else value
            case "choice":
                return self.random.choice(rule["of"])
            case "rgb":
                return [self.random.randrange(256) for _ in range(3)]
            case _:
                return self.random.choice(("a", "灯", "x" * 32))


def _places(value: Any) -> Any:
    """Each (container, key) inside."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
