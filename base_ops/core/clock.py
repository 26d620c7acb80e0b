"""The one clock of all processes. Only edges read it; everything below is handed `now`.

A test that must let time pass sets BASE_OPS_CLOCK_FILE to a file with an offset in seconds: every
process then lives that much later, from the moment the file changes.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FILE = os.environ.get("BASE_OPS_CLOCK_FILE", "")
_seen: tuple[int, timedelta] = (-1, timedelta(0))


def now() -> datetime:
    """The present instant, in UTC."""
    present = datetime.now(UTC)
    return present + _offset() if _FILE else present


def _offset() -> timedelta:
    """The offset in the file, read again only when the file changed; 0 while there is none."""
    global _seen
    try:
        stamp = Path(_FILE).stat().st_mtime_ns
        if stamp != _seen[0]:
            _seen = (stamp, timedelta(seconds=float(Path(_FILE).read_text(encoding="ascii"))))
    except FileNotFoundError:
        return timedelta(0)
    return _seen[1]
