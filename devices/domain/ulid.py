"""ULIDs: 26 characters that sort by time of birth, also within one millisecond of one process."""

import secrets
import threading

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


class Mint:
    """Makes ULIDs, each greater than the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def new(self, at_ms: int) -> str:
        """The next ULID; a clock that stands still or runs back does not break the order."""
        with self._lock:
            # Half of the random range stays free above, so counting up never overflows it.
            fresh = (at_ms << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS - 1)
            self._last = max(fresh, self._last + 1)
            return _text(self._last)


def is_ulid(text: str) -> bool:
    """Whether the text has the form of a ULID."""
    return len(text) == 26 and text[0] in "01234567" and all(c in _ALPHABET for c in text)


def _text(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
