"""Wait for a condition with a deadline, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.02


def eventually(fn: Callable[[], T], timeout_s: float = 30.0, *, why: str = "") -> T:
    """What `fn` answers once that is true.

    An AssertionError of `fn` counts as "not yet", and is raised when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if answer := fn():
                return answer
            failure: AssertionError | None = None
        except AssertionError as exc:
            failure = exc
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {timeout_s} s {why}".strip())
        time.sleep(POLL_S)
