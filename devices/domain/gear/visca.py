"""VISCA: what a PTZ camera is told and asked, and what it answers. Pure.

A message is 8x … FF to the camera and y0 … FF from it. A command is answered by an ACK (4z) at
once and a completion (5z) when it is carried out, an inquiry by 50 and its data, both by 6z and a
reason when the camera will not.

Source: Sony, "VISCA Command List" of the EVI, SRG and BRC series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

END = 0xFF
LONGEST = 16  # bytes of one message, by the standard
ZOOM_TELE = 0x4000
FOCUS_FAR, FOCUS_NEAR = 0x1000, 0xF000
MAX_PAN_SPEED, MAX_TILT_SPEED, MAX_ZOOM_SPEED = 0x18, 0x14, 7

Horizontal = Literal["left", "right", "stop"]
Vertical = Literal["up", "down", "stop"]
_HORIZONTAL = {"left": 1, "right": 2, "stop": 3}
_VERTICAL = {"up": 1, "down": 2, "stop": 3}


class Why(IntEnum):
    """Why a camera will not."""

    LENGTH = 0x01
    SYNTAX = 0x02
    BUFFER_FULL = 0x03
    CANCELLED = 0x04
    NO_SOCKET = 0x05
    NOT_EXECUTABLE = 0x41


@dataclass(frozen=True, slots=True)
class Ack:
    """Understood; `socket` is where it is being carried out."""

    socket: int


@dataclass(frozen=True, slots=True)
class Completion:
    """Carried out."""

    socket: int


@dataclass(frozen=True, slots=True)
class Data:
    """The answer to an inquiry."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """It will not; a `reason` outside `Why` is a maker's own."""

    socket: int
    reason: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something nobody asked for, such as a change of the chain."""

    body: bytes


Reply = Ack | Completion | Data | Fault | Notice


class BadReply(Exception):
    """Bytes that are no VISCA reply."""


def command(*body: int) -> bytes:
    """A command to the camera at address 1, the only one there is over a network."""
    return bytes((0x81, 0x01, *body, END))


def inquiry(*body: int) -> bytes:
    """A question to it."""
    return bytes((0x81, 0x09, *body, END))


def power(*, on: bool) -> bytes:
    """Wake up, or stand by."""
    return command(0x04, 0x00, 0x02 if on else 0x03)


def picture_mute(*, on: bool) -> bytes:
    """Show no picture (CAM_Mute)."""
    return command(0x04, 0x75, 0x02 if on else 0x03)


def tally(*, on: bool) -> bytes:
    """The red lamp."""
    return command(0x7E, 0x01, 0x0A, 0x00, 0x02 if on else 0x03)


def zoom_drive(speed: int) -> bytes:
    """Zoom at -7 (wide) to 7 (tele); 0 stops."""
    _within("zoom speed", abs(speed), 0, MAX_ZOOM_SPEED)
    towards = 0x00 if speed == 0 else (0x20 if speed > 0 else 0x30)
    return command(0x04, 0x07, towards | abs(speed))


def zoom_tele() -> bytes:
    """Zoom in at the standard speed."""
    return command(0x04, 0x07, 0x02)


def zoom_wide() -> bytes:
    """Zoom out at the standard speed."""
    return command(0x04, 0x07, 0x03)


def zoom_to(position: int) -> bytes:
    """Zoom to a position, 0 (wide) to ZOOM_TELE and the digital range beyond."""
    return command(0x04, 0x47, *_nibbles(position))


def focus_auto(*, on: bool) -> bytes:
    """Focus by itself, or by hand."""
    return command(0x04, 0x38, 0x02 if on else 0x03)


def focus_far() -> bytes:
    """Drive the focus away."""
    return command(0x04, 0x08, 0x02)


def focus_near() -> bytes:
    """Drive it nearer."""
    return command(0x04, 0x08, 0x03)


def focus_stop() -> bytes:
    """Stop it."""
    return command(0x04, 0x08, 0x00)


def focus_to(position: int) -> bytes:
    """Focus at a position, FOCUS_FAR to FOCUS_NEAR."""
    return command(0x04, 0x48, *_nibbles(position))


def preset_set(number: int) -> bytes:
    """Remember the present position."""
    _within("preset", number, 0, 254)
    return command(0x04, 0x3F, 0x01, number)


def preset_recall(number: int) -> bytes:
    """Go to a remembered position."""
    _within("preset", number, 0, 254)
    return command(0x04, 0x3F, 0x02, number)


def home() -> bytes:
    """Look straight ahead."""
    return command(0x06, 0x04)


def drive(horizontal: Horizontal, vertical: Vertical, *, pan_speed: int, tilt_speed: int) -> bytes:
    """Pan and tilt in a direction until told otherwise."""
    _within("pan speed", pan_speed, 1, MAX_PAN_SPEED)
    _within("tilt speed", tilt_speed, 1, MAX_TILT_SPEED)
    way = _HORIZONTAL[horizontal], _VERTICAL[vertical]
    return command(0x06, 0x01, pan_speed, tilt_speed, *way)


def stop(*, pan_speed: int = MAX_PAN_SPEED, tilt_speed: int = MAX_TILT_SPEED) -> bytes:
    """Stand still."""
    return drive("stop", "stop", pan_speed=pan_speed, tilt_speed=tilt_speed)


def point(pan: int, tilt: int, *, pan_speed: int, tilt_speed: int) -> bytes:
    """Pan and tilt to a position, in the camera's own steps."""
    _within("pan speed", pan_speed, 1, MAX_PAN_SPEED)
    _within("tilt speed", tilt_speed, 1, MAX_TILT_SPEED)
    return command(0x06, 0x02, pan_speed, tilt_speed, *_signed(pan), *_signed(tilt))


POWER = inquiry(0x04, 0x00)
PICTURE_MUTE = inquiry(0x04, 0x75)
TALLY = inquiry(0x7E, 0x01, 0x0A)
ZOOM = inquiry(0x04, 0x47)
FOCUS_MODE = inquiry(0x04, 0x38)
FOCUS = inquiry(0x04, 0x48)
PAN_TILT = inquiry(0x06, 0x12)
VERSION = inquiry(0x00, 0x02)


def read_switch(body: bytes) -> bool:
    """02 on, 03 off.

    Raises:
        BadReply: neither.
    """
    if body not in (b"\x02", b"\x03"):
        raise BadReply(f"no switch: {body.hex()}")
    return body == b"\x02"


def read_position(body: bytes) -> int:
    """Four nibbles, unsigned: zoom, focus."""
    if len(body) != 4 or any(part > 0x0F for part in body):
        raise BadReply(f"no position: {body.hex()}")
    return int.from_bytes(bytes((body[0] << 4 | body[1], body[2] << 4 | body[3])), "big")


def read_pan_tilt(body: bytes) -> tuple[int, int]:
    """Two signed positions of four nibbles each."""
    if len(body) != 8:
        raise BadReply(f"no pan and tilt: {body.hex()}")
    pan, tilt = read_position(body[:4]), read_position(body[4:])
    return _as_signed(pan), _as_signed(tilt)


def read_reply(message: bytes) -> Reply:
    """One whole message of the camera, with its FF.

    Raises:
        BadReply: it is none.
    """
    if not 3 <= len(message) <= LONGEST or message[-1] != END or message[0] < 0x90:
        raise BadReply(message[:LONGEST].hex())
    kind, socket, body = message[1] >> 4, message[1] & 0x0F, message[2:-1]
    match kind:
        case 4 if not body:
            return Ack(socket)
        case 5:
            return Data(body) if body else Completion(socket)
        case 6 if len(body) == 1:
            return Fault(socket, body[0])
        case 3:
            return Notice(message[1:-1])
        case _:
            raise BadReply(message.hex())


@dataclass(slots=True)
class Splitter:
    """Cuts a byte stream at each FF; several messages may come in one segment."""

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """All messages that are complete now.

        Raises:
            BadReply: far too much came without an end.
        """
        self._buffer += data
        while (at := self._buffer.find(END)) >= 0:
            message = bytes(self._buffer[: at + 1])
            del self._buffer[: at + 1]
            yield message
        if len(self._buffer) > LONGEST:
            raise BadReply("no end of a message")


def _nibbles(value: int) -> tuple[int, int, int, int]:
    _within("position", value, 0, 0xFFFF)
    return value >> 12, value >> 8 & 0x0F, value >> 4 & 0x0F, value & 0x0F


def _signed(value: int) -> tuple[int, int, int, int]:
    _within("position", value, -0x8000, 0x7FFF)
    return _nibbles(value & 0xFFFF)


def _as_signed(value: int) -> int:
    return value - 0x10000 if value >= 0x8000 else value


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} {value} is not within {low}–{high}")
