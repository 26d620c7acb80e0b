"""JSON that PostgreSQL's jsonb, a browser and we read alike."""

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 12
MAX_ITEMS = 256
MAX_INT = 2**53 - 1  # what a browser's number holds exactly


_SIMPLE = frozenset({bool, float, type(None)})


def is_plain_ascii(value: Mapping[str, Any]) -> bool:
    """`is_plain_object`, where no text can hide anything: quick for flat objects of ASCII."""
    for item in value.values():
        kind = type(item)
        if kind is int:
            if not -MAX_INT <= item <= MAX_INT:
                return False
        elif kind is not str and kind not in _SIMPLE and not is_plain(item, 1):
            return False
    return len(value) <= MAX_ITEMS


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether the value fits: no NUL, no lone surrogate, no giant number, not too deep."""
    match value:
        case None | bool() | float():
            return True
        case int():
            return -MAX_INT <= value <= MAX_INT
        case str():
            return is_clean(value)
        case dict():
            return is_plain_object(value, depth)
        case list():
            small = depth < MAX_DEPTH and len(value) <= MAX_ITEMS
            return small and all(is_plain(item, depth + 1) for item in value)
        case _:
            return False


def is_plain_object(value: Mapping[str, Any], depth: int = 0) -> bool:
    """`is_plain` for an object."""
    small = depth < MAX_DEPTH and len(value) <= MAX_ITEMS
    return small and all(is_clean(k) and is_plain(v, depth + 1) for k, v in value.items())


def is_clean(text: str) -> bool:
    """Whether jsonb can hold the text: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
