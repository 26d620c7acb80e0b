"""Our own convention, `wb1`: topics and payloads of docs/architecture.md, "MQTT, our own devices".

wb1/d/<device>/$status|$meta|state|tele|event|ack   from the device
wb1/d/<device>/cmd                                  to the device
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from devices.domain import messages
from devices.domain.conventions.plain import is_clean, is_plain_ascii, is_plain_object
from devices.domain.conventions.refusal import CodecError
from devices.domain.conventions.wire import Published

ROOT = "wb1"
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)

Millis = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]  # up to the year 2100
Version = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]  # no boot counts further
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Short = Annotated[str, msgspec.Meta(max_length=64)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
Metrics = Annotated[dict[Key, float], msgspec.Meta(min_length=1, max_length=64)]


class _Status(msgspec.Struct):
    online: bool
    session: Word
    ts: Millis


class _Meta(msgspec.Struct):
    kind: Word
    model: Word
    firmware: Short = ""
    serial: Short = ""
    ranges: dict[str, Any] = msgspec.field(default_factory=dict)


class _State(msgspec.Struct):
    v: Version
    session: Word
    ts: Millis
    state: dict[str, Any]
    cause: Word | None = None


class _Tele(msgspec.Struct):
    ts: Millis
    m: Metrics


class _Event(msgspec.Struct):
    ts: Millis
    name: Word
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class _Ack(msgspec.Struct):
    id: Word
    st: messages.AckStatus
    code: Short | None = None
    v: Version | None = None


_status = msgspec.json.Decoder(_Status).decode
_meta = msgspec.json.Decoder(_Meta).decode
_state = msgspec.json.Decoder(_State).decode
_tele = msgspec.json.Decoder(_Tele).decode
_event = msgspec.json.Decoder(_Event).decode
_ack = msgspec.json.Decoder(_Ack).decode


def decode(topic: str, payload: bytes, *, retained: bool) -> messages.Incoming:
    """Read what a device said.

    Raises:
        CodecError: and nothing else, whatever topic and payload are.
    """
    match topic.split("/"):
        case ["wb1", "d", device, leaf]:
            if not _DEVICE.fullmatch(device):
                raise CodecError("bad-device-id")
        case _:
            raise CodecError("unknown-topic")
    if leaf == "cmd":  # only the bridge writes here, and it does not hear itself
        raise CodecError("retained-command" if retained else "foreign-command")
    if (read := _READ.get(leaf)) is None:
        raise CodecError("unknown-topic")
    if not payload:  # how MQTT forgets a retained message
        raise CodecError("empty")
    try:
        return read(device, payload, retained)
    except msgspec.ValidationError as exc:
        raise CodecError("wrong-shape") from exc
    except (ValueError, RecursionError) as exc:
        raise CodecError("not-json") from exc


def _read_status(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    body = _status(payload)
    _clean(body.session)
    return messages.Status(device, body.online, body.session, body.ts, retained)


def _read_meta(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    body = _meta(payload)
    _clean(body.kind, body.model, body.firmware, body.serial)
    ranges = _plain(body.ranges)
    return messages.Meta(
        device, body.kind, body.model, body.firmware, body.serial, ranges, retained
    )


def _read_state(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    body = _state(payload)
    if payload.isascii() and b"\\u" not in payload:  # then no text hides a NUL or a surrogate
        if not is_plain_ascii(body.state):
            raise CodecError("wrong-shape")
    else:
        _clean(body.session, body.cause or "")
        _plain(body.state)
    return messages.State(device, body.v, body.session, body.ts, body.state, body.cause, retained)


def _read_tele(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    if retained:  # a measurement without its moment; devices never retain them
        raise CodecError("retained-event")
    body = _tele(payload)
    _clean(*body.m)
    return messages.Tele(device, body.ts, body.m)


def _read_event(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    if retained:
        raise CodecError("retained-event")
    body = _event(payload)
    _clean(body.name)
    return messages.Event(device, body.ts, body.name, _plain(body.data))


def _read_ack(device: str, payload: bytes, retained: bool) -> messages.Incoming:
    if retained:
        raise CodecError("retained-event")
    body = _ack(payload)
    _clean(body.id, body.code or "")
    return messages.Ack(device, body.id, body.st, body.code or "", body.v)


_READ: Mapping[str, Callable[[str, bytes, bool], messages.Incoming]] = {
    "$status": _read_status,
    "$meta": _read_meta,
    "state": _read_state,
    "tele": _read_tele,
    "event": _read_event,
    "ack": _read_ack,
}


def _clean(*texts: str) -> None:
    if not all(map(is_clean, texts)):
        raise CodecError("not-json")


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    if not is_plain_object(value):
        raise CodecError("wrong-shape")
    return value


def encode(command: messages.Outgoing) -> Published:
    """The `cmd` message of a command."""
    body: dict[str, Any] = {
        "id": command.id,
        "exp": int(command.expires_at.timestamp() * 1000),
        "op": command.op,
        "if_v": command.if_v,
        "state": dict(command.state),
        "actor": command.actor,
        "booking": command.booking,
        "fence": _fence(command.fence),
    }
    present = {key: value for key, value in body.items() if value is not None}
    return Published(
        topic=f"{ROOT}/d/{command.device}/cmd",
        payload=msgspec.json.encode(present),
        expires_at=command.expires_at,
        response_topic=f"{ROOT}/d/{command.device}/ack",
        correlation=command.id.encode(),
    )


def _fence(fence: messages.Fence | None) -> dict[str, int] | None:
    if fence is None:
        return None
    until = int(fence.until.timestamp() * 1000)
    return {"grant": fence.grant, "epoch": fence.epoch, "until": until}
