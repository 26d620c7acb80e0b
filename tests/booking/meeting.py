"""Two who meet: one has done something and not committed, the other comes in between."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from base_ops.core import errors
from tests.waiting import eventually


class Rival(threading.Thread):
    """Somebody with a connection of their own, who begins at once."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._deed = deed
        self._pid = 0
        self._result: Any = None
        self._crash: Exception | None = None
        self.refusal: errors.DomainError | None = None
        self.start()

    def run(self) -> None:
        """Do the deed, keep what became of it, and leave no connection behind."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._pid = cursor.fetchone()[0]
            self._result = self._deed()
        except errors.DomainError as exc:
            self.refusal = exc
        except Exception as exc:  # noqa: BLE001 - raised again where the outcome is asked for
            self._crash = exc
        finally:
            connections.close_all()

    def until_it_waits(self) -> "Rival":
        """Come back when it waits for a lock, or needs none and is through."""
        eventually(lambda: not self.is_alive() or (self._pid and self._waits()))
        return self

    def _waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT wait_event_type = 'Lock' FROM pg_stat_get_activity(%s)", [self._pid]
            )
            return bool((cursor.fetchone() or [False])[0])

    def outcome(self) -> Any:
        """What it got, once it is through; None when it was refused."""
        self.join(20)
        assert not self.is_alive(), "the rival still waits"
        if self._crash is not None:
            raise self._crash
        return self._result
