"""An asyncio loop in a thread of its own, for peers of tests that are plain functions."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Closable(Protocol):
    """A transport, a server, a socket."""

    def close(self) -> None: ...


_holding: set[asyncio.Task[None]] = set()


def until_the_end(thing: Closable) -> None:
    """Close it when the loop of the test ends."""

    async def hold() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            thing.close()

    task = asyncio.create_task(hold())
    _holding.add(task)
    task.add_done_callback(_holding.discard)


class Loop:
    """Runs what is handed to it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="peers")

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10) -> T:
        """Run it there, and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    @contextlib.contextmanager
    def running(self) -> Iterator["Loop"]:
        """The thread, for the length of a with block; nothing is left running on it."""
        self._thread.start()
        try:
            yield self
        finally:
            self.call(self._cancel_all())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            assert not self._thread.is_alive()
            self.loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next round
