"""At most one run per interval: the first at once, later ones together at the interval's end."""

import asyncio
from collections.abc import Callable


class Pace:
    """Calls `action` soon after each `poke`, never twice within `interval_s`."""

    def __init__(self, interval_s: float, action: Callable[[], None]) -> None:
        self._interval_s = interval_s
        self._action = action
        self._last = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def poke(self) -> None:
        """Something is due."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._last + self._interval_s - loop.time()
        if wait_s <= 0:
            self._run()
        else:
            self._timer = loop.call_later(wait_s, self._run)

    def cancel(self) -> None:
        """Forget what is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        self._action()
