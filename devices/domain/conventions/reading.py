"""Foreign payloads, read strictly: whatever the bytes are, a plain value or a CodecError."""

import re
from math import isfinite
from typing import Any

import msgspec

from devices.domain.conventions.plain import MAX_INT, is_clean, is_plain
from devices.domain.conventions.refusal import BadDiscovery, CodecError

MAX_BYTES = 64 * 1024
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024  # one message that describes a whole network
_OURS = ("wb1/", "$")  # nobody may make us write to our own devices, or to the broker
_TOPIC = re.compile(r"[^\x00-\x1f\x7f#+]{1,200}")
_decode = msgspec.json.Decoder().decode


def text(payload: bytes, *, longest: int = 1024) -> str:
    """The payload as text.

    Raises:
        CodecError: too long, not UTF-8, or it holds NUL.
    """
    if len(payload) > longest:
        raise CodecError("too-long")
    try:
        said = payload.decode()
    except UnicodeDecodeError as exc:
        raise CodecError("bad-value") from exc
    if not is_clean(said):
        raise CodecError("bad-value")
    return said


def json_value(payload: bytes, *, longest: int = MAX_BYTES) -> Any:
    """The payload as JSON; its parts are not checked yet (see `is_plain`).

    Raises:
        CodecError: too long, empty, or not JSON (NaN and lone surrogates are not).
    """
    if len(payload) > longest:
        raise CodecError("too-long")
    if not payload:
        raise CodecError("empty")
    try:
        return _decode(payload)
    except (ValueError, RecursionError) as exc:
        raise CodecError("not-json") from exc


def json_object(payload: bytes) -> dict[str, Any]:
    """The payload as a JSON object of plain values.

    Raises:
        CodecError: it is not.
    """
    value = json_value(payload)
    if not isinstance(value, dict) or not is_plain(value):
        raise CodecError("wrong-shape")
    return value


def number(value: object) -> float | None:
    """A finite number that a browser holds exactly enough, or None. True is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and abs(value) <= MAX_INT else None


def numeral(said: str) -> float | None:
    """The number that a text writes in plain digits, or None: no blanks, no NaN."""
    if len(said) > 64 or not re.fullmatch(
        r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", said, re.ASCII
    ):
        return None
    return number(float(said))


def word(value: object, path: str, *, longest: int = 128) -> str:
    """A short text of an announcement.

    Raises:
        BadDiscovery: it is none.
    """
    if isinstance(value, str) and 0 < len(value) <= longest and is_clean(value):
        return value
    raise BadDiscovery(path, f"must be a text of 1 to {longest} characters")


def topic(value: str, path: str) -> str:
    """A topic that an announcement makes us write to or listen on.

    Raises:
        BadDiscovery: it has wildcards or control characters, or leads into our own house.
    """
    if not _TOPIC.fullmatch(value) or not is_clean(value):
        raise BadDiscovery(path, f"{value[:64]!r} is no topic without wildcards")
    if value.startswith(_OURS):
        raise BadDiscovery(path, f"{value[:64]!r} is not a foreign device's topic")
    return value
