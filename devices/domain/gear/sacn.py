"""sACN: one universe of DMX over UDP with a source, a priority and a sequence number. Pure.

Source: ANSI E1.31-2018, chapters 4 to 6.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

PORT = 5568
_PREAMBLE = struct.pack(">HH12s", 0x0010, 0x0000, b"ASC-E1.17\x00\x00\x00")
_ROOT_DATA, _FRAMING_DMP, _DMP_SET = 0x00000004, 0x00000002, 0x02
_FLAGS = 0x7000
_TERMINATED = 0x40
LAST_UNIVERSE, DEFAULT_PRIORITY, TOP_PRIORITY = 63999, 100, 200
TERMINATIONS = 3  # 6.2.6: say goodbye three times


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: a component id for ever, a name for people."""

    cid: UUID
    name: str


def data(
    source: Source,
    universe: int,
    sequence: int,
    levels: bytes,
    *,
    priority: int = DEFAULT_PRIORITY,
    terminated: bool = False,
) -> bytes:
    """One E1.31 data packet with start code 0.

    Args:
        source: who sends.
        universe: 1 to LAST_UNIVERSE.
        sequence: 0–255 and round, for each universe.
        levels: 1–512 bytes.
        priority: 0–200; receivers follow the highest.
        terminated: this source stops sending the universe; levels then do not count.
    """
    if not 1 <= universe <= LAST_UNIVERSE:
        raise ValueError(f"universe {universe}")
    if not 0 <= priority <= TOP_PRIORITY:
        raise ValueError(f"priority {priority}")
    if not 1 <= len(levels) <= 512:
        raise ValueError(f"{len(levels)} levels")
    options = _TERMINATED if terminated else 0
    dmp = struct.pack(">BBHHH", _DMP_SET, 0xA1, 0, 1, len(levels) + 1) + b"\x00" + levels
    dmp = _length(len(dmp)) + dmp
    framing = struct.pack(
        ">I64sBHBBH", _FRAMING_DMP, _name(source.name), priority, 0, sequence, options, universe
    )
    framing = _length(len(framing) + len(dmp)) + framing + dmp
    root = struct.pack(">I16s", _ROOT_DATA, source.cid.bytes)
    return _PREAMBLE + _length(len(root) + len(framing)) + root + framing


def group(universe: int) -> str:
    """The multicast address of a universe (9.3.1)."""
    return f"239.255.{universe >> 8}.{universe & 0xFF}"


def next_sequence(sequence: int) -> int:
    """0–255 and round."""
    return (sequence + 1) % 256


def _length(rest: int) -> bytes:
    """Flags and the length of a layer, these two bytes with it."""
    return struct.pack(">H", _FLAGS | (rest + 2))


def _name(name: str) -> bytes:
    """UTF-8, cut at a whole character, with a NUL behind it."""
    return name.encode()[:63].decode(errors="ignore").encode()
