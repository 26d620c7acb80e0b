"""Art-Net 4: one universe in a datagram, and the question who is there. Pure.

Source: Artistic Licence, "Art-Net 4 protocol release", ArtDmx, ArtPoll, ArtPollReply.
"""

import struct
from dataclasses import dataclass

PORT = 6454
_ID = b"Art-Net\x00"
_VERSION = 14
_DMX, _POLL, _POLL_REPLY = 0x5000, 0x2000, 0x2100
LAST_UNIVERSE = 0x7FFF  # 7 bits net, 4 subnet, 4 universe


class BadPacket(Exception):
    """A datagram that is no Art-Net."""


def dmx(universe: int, sequence: int, levels: bytes, *, physical: int = 0) -> bytes:
    """ArtDmx.

    Args:
        universe: the whole port address, 0 to LAST_UNIVERSE.
        sequence: 1–255; 0 would tell the node not to look at it.
        levels: 2–512 bytes, an even number of them.
        physical: which input it came from; only shown.
    """
    if not 0 <= universe <= LAST_UNIVERSE:
        raise ValueError(f"universe {universe}")
    if not 2 <= len(levels) <= 512 or len(levels) % 2:
        raise ValueError(f"{len(levels)} levels")
    head = struct.pack("<H", _DMX) + struct.pack(">H", _VERSION)
    place = bytes((sequence, physical)) + struct.pack("<H", universe)
    return _ID + head + place + struct.pack(">H", len(levels)) + levels


def next_sequence(sequence: int) -> int:
    """1–255 and round."""
    return sequence % 255 + 1


def poll() -> bytes:
    """ArtPoll: who is there? Only answers, no reports of changes."""
    return _ID + struct.pack("<H", _POLL) + struct.pack(">H", _VERSION) + b"\x00\x00"


@dataclass(frozen=True, slots=True)
class PollReply:
    """A node says that it is there."""

    short_name: str
    long_name: str
    firmware: str
    report: str


def read_poll_reply(datagram: bytes) -> PollReply:
    """ArtPollReply.

    Raises:
        BadPacket: anything else.
    """
    if len(datagram) < 207 or datagram[:8] != _ID:
        raise BadPacket("no ArtPollReply")
    if struct.unpack_from("<H", datagram, 8)[0] != _POLL_REPLY:
        raise BadPacket("another opcode")
    return PollReply(
        short_name=_text(datagram[26:44]),
        long_name=_text(datagram[44:108]),
        report=_text(datagram[108:172]),
        firmware=f"{datagram[16]}.{datagram[17]}",
    )


def _text(field: bytes) -> str:
    text = field.split(b"\x00", 1)[0].decode("ascii", "replace")
    return "".join(c for c in text if c.isprintable() and c != "\ufffd")
