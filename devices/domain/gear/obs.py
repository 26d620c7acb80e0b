"""The protocol of obs-websocket 5: frames, the login, and what a streaming OBS says. Pure.

Source: obs-websocket, docs/generated/protocol.md, RPC version 1.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec

PORT = 4455
RPC_VERSION = 1
SUBPROTOCOL = "obswebsocket.json"
OUTPUT_EVENTS = 1 << 6  # EventSubscription::Outputs
SUCCESS = 100
OUTPUT_RUNNING, OUTPUT_NOT_RUNNING = 500, 501
AUTHENTICATION_FAILED = 4009  # a close code
MAX_BYTES = 1024 * 1024


class Op(IntEnum):
    """Kinds of frames."""

    HELLO = 0
    IDENTIFY = 1
    IDENTIFIED = 2
    EVENT = 5
    REQUEST = 6
    RESPONSE = 7


class BadFrame(Exception):
    """A frame that is none of this protocol."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The server's first word; with `challenge` and `salt` when it wants a password."""

    version: str
    challenge: str = ""
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """We are in."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened in OBS."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request; `code` is 100 when it was carried out."""

    request_id: str
    code: int
    comment: str
    data: Mapping[str, Any]


Frame = Hello | Identified | Event | Response


def authentication(password: str, *, salt: str, challenge: str) -> str:
    """The answer to a challenge, without the password in it."""
    secret = _hashed(password + salt)
    return _hashed(secret + challenge)


def identify(hello: Hello, password: str) -> str:
    """Our first word."""
    body: dict[str, Any] = {"rpcVersion": RPC_VERSION, "eventSubscriptions": OUTPUT_EVENTS}
    if hello.challenge:
        body["authentication"] = authentication(
            password, salt=hello.salt, challenge=hello.challenge
        )
    return _frame(Op.IDENTIFY, body)


def request(request_id: str, kind: str, data: Mapping[str, Any] | None = None) -> str:
    """A request."""
    body: dict[str, Any] = {"requestType": kind, "requestId": request_id}
    if data:
        body["requestData"] = data
    return _frame(Op.REQUEST, body)


def decode(text: str | bytes) -> Frame | None:
    """One frame; None for a kind that we never asked for.

    Raises:
        BadFrame: it is none.
    """
    try:
        frame = msgspec.json.decode(text)
    except (ValueError, RecursionError) as exc:
        raise BadFrame("not JSON") from exc
    match frame:
        case {"op": Op.HELLO, "d": {"obsWebSocketVersion": str(version), **rest}}:
            return _hello(version, rest.get("authentication"))
        case {"op": Op.IDENTIFIED, "d": dict()}:
            return Identified()
        case {"op": Op.EVENT, "d": {"eventType": str(kind), **rest}}:
            return Event(kind, _object(rest.get("eventData")))
        case {
            "op": Op.RESPONSE,
            "d": {"requestId": str(number), "requestStatus": {"code": int(code), **why}, **rest},
        }:
            comment = str(why.get("comment", ""))[:200]
            return Response(number, code, comment, _object(rest.get("responseData")))
        case {"op": int(op), "d": dict()} if op not in tuple(Op):
            return None
        case _:
            raise BadFrame("an unknown shape")


def _hello(version: str, challenge: object) -> Hello:
    match challenge:
        case None:
            return Hello(version)
        case {"challenge": str(text), "salt": str(salt)}:
            return Hello(version, text, salt)
        case _:
            raise BadFrame("a challenge without salt")


_OUTPUT_STATES = {
    "OBS_WEBSOCKET_OUTPUT_STARTING": "starting",
    "OBS_WEBSOCKET_OUTPUT_STARTED": "live",
    "OBS_WEBSOCKET_OUTPUT_STOPPING": "stopping",
    "OBS_WEBSOCKET_OUTPUT_STOPPED": "stopped",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTING": "starting",
    "OBS_WEBSOCKET_OUTPUT_RECONNECTED": "live",
}


def run_after(event: Event) -> str | None:
    """What the stream does after an event of the stream; None when it says nothing of it."""
    if event.kind != "StreamStateChanged":
        return None
    return _OUTPUT_STATES.get(str(event.data.get("outputState")))


@dataclass(frozen=True, slots=True)
class Stream:
    """GetStreamStatus; counters run from the start of the stream."""

    active: bool
    reconnecting: bool
    sent_bytes: int
    skipped_frames: int
    total_frames: int
    congestion: float


def stream(data: Mapping[str, Any]) -> Stream:
    """Read the answer to GetStreamStatus.

    Raises:
        BadFrame: a field is missing or of another type.
    """
    try:
        return Stream(
            active=_typed(data, "outputActive", bool),
            reconnecting=_typed(data, "outputReconnecting", bool),
            sent_bytes=int(_typed(data, "outputBytes", (int, float))),
            skipped_frames=int(_typed(data, "outputSkippedFrames", (int, float))),
            total_frames=int(_typed(data, "outputTotalFrames", (int, float))),
            congestion=float(data.get("outputCongestion", 0.0)),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise BadFrame(f"GetStreamStatus: {exc}") from exc


def run_of(status: Stream, last: str) -> str:
    """What the stream does, by its status; `last` is the phase an event announced."""
    if not status.active:
        return "starting" if last == "starting" else "stopped"
    if status.reconnecting:
        return "starting"
    return last if last == "stopping" else "live"


def kbps(before: Stream, after: Stream, seconds: float) -> float:
    """The rate between two readings; 0 when the counter began anew."""
    sent = after.sent_bytes - before.sent_bytes
    return max(0, sent) * 8 / 1000 / seconds if seconds > 0 else 0.0


def _typed(data: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = data[name]
    if not isinstance(value, kind):
        raise TypeError(name)
    return value


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _frame(op: Op, body: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"op": int(op), "d": body}).decode()
