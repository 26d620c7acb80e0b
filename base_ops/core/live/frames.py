"""The messages of live.v1: what a client may say, and how ours are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec

SUBPROTOCOL = "live.v1"
HEARTBEAT_S = 10.0
MAX_FRAME_BYTES = 64 * 1024

UNAUTHENTICATED, FORBIDDEN, TOO_SLOW, WRONG_PROTOCOL = 4401, 4403, 4408, 4426
GOING_AWAY, NONSENSE = 1001, 4400

Values = dict[str, msgspec.Raw]
TopicName = Annotated[str, msgspec.Meta(max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Since(msgspec.Struct, frozen=True):
    """Where a client was when it lost us."""

    epoch: str
    seq: int


class Sub(msgspec.Struct, tag_field="t", tag="sub", frozen=True):
    """Follow a topic."""

    topic: TopicName
    since: Since | None = None


class Unsub(msgspec.Struct, tag_field="t", tag="unsub", frozen=True):
    """Stop following a topic."""

    topic: TopicName


class Pong(msgspec.Struct, tag_field="t", tag="pong", frozen=True):
    """The answer to a ping."""


class Hello(msgspec.Struct, tag_field="t", tag="hello", frozen=True):
    """A client may greet; nothing depends on it."""


ClientMessage = Sub | Unsub | Pong | Hello
_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


class BadFrame(Exception):
    """Not a message of live.v1; the text is a stable code."""


def read(text: str) -> ClientMessage:
    """One message of a client.

    Raises:
        BadFrame: `too_large`, `not_json` or `wrong_shape`, and nothing else.
    """
    if len(text) > MAX_FRAME_BYTES:
        raise BadFrame("too_large")
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as exc:
        raise BadFrame("wrong_shape") from exc
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise BadFrame("not_json") from exc


@dataclass(frozen=True, slots=True)
class Delta:
    """Change number `seq` of a topic; values stay encoded."""

    seq: int
    set: Values
    unset: tuple[str, ...]
    at: str

    @property
    def size(self) -> int:
        """Bytes of its values."""
        return sum(len(bytes(value)) for value in self.set.values())


def merge(deltas: Iterable[Delta]) -> tuple[Values, list[str]]:
    """Several changes in order as one: (set, unset)."""
    given: Values = {}
    gone: dict[str, None] = {}
    for change in deltas:
        for key in change.unset:
            given.pop(key, None)
            gone[key] = None
        for key, value in change.set.items():
            gone.pop(key, None)
            given[key] = value
    return given, list(gone)


def pack(kind: str, **fields: Any) -> bytes:
    """One message of ours."""
    return msgspec.json.encode({"t": kind, **fields})


def hello(*, user: Mapping[str, Any], now: datetime) -> bytes:
    """The first message of a socket."""
    return pack("hello", user=user, now=now, ping_s=HEARTBEAT_S)


def error(code: str, topic: str | None = None) -> bytes:
    """A refusal; the socket stays open."""
    return pack("err", code=code) if topic is None else pack("err", code=code, topic=topic)
