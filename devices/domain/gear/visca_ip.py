"""VISCA over IP: each message in a datagram with a type, a length and a sequence number. Pure.

Source: Sony, "VISCA over IP" in the command lists of the SRG and BRC series.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

PORT = 52381
_HEADER = struct.Struct("!HHI")
LAST_NUMBER = 2**32 - 1


class Kind(IntEnum):
    """The payload types."""

    COMMAND = 0x0100
    INQUIRY = 0x0110
    REPLY = 0x0111
    SETTING = 0x0120
    CONTROL = 0x0200
    CONTROL_REPLY = 0x0201


OUT_OF_SEQUENCE, BAD_MESSAGE = b"\x0f\x01", b"\x0f\x02"


class BadFrame(Exception):
    """A datagram that is no VISCA over IP."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One datagram."""

    kind: Kind
    number: int
    payload: bytes


def encode(frame: Frame) -> bytes:
    """The bytes of a datagram."""
    return _HEADER.pack(frame.kind, len(frame.payload), frame.number) + frame.payload


def reset() -> bytes:
    """Let the camera count from the start again; it must answer 01."""
    return encode(Frame(Kind.CONTROL, 0, b"\x01"))


def kind_of(payload: bytes) -> Kind:
    """How a VISCA message is to be sent: by its second byte."""
    return Kind.INQUIRY if payload[1:2] == b"\x09" else Kind.COMMAND


def decode(datagram: bytes) -> Frame:
    """Read a datagram.

    Raises:
        BadFrame: too short, of an unknown type, or of another length than it says.
    """
    if len(datagram) < _HEADER.size:
        raise BadFrame("too short")
    kind, length, number = _HEADER.unpack_from(datagram)
    payload = datagram[_HEADER.size :]
    if length != len(payload) or not 1 <= length <= 16:
        raise BadFrame(f"{len(payload)} bytes, said {length}")
    try:
        return Frame(Kind(kind), number, payload)
    except ValueError as exc:
        raise BadFrame(f"type {kind:#06x}") from exc


def after(number: int) -> int:
    """The next sequence number."""
    return 0 if number >= LAST_NUMBER else number + 1
