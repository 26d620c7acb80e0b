"""Which of several bridges speaks with the foreign devices: whoever holds the lock.

The lock lives as long as its connection. When a bridge dies, PostgreSQL lets go of it, and the
next that asks takes over, with all that was remembered.
"""

import contextlib

import psycopg
from django.db import connection

_LOCK = 7_203_002
_HELD = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    " AND objid = %s AND granted)"
)


class Ownership:
    """A lock of this process, on a connection of its own."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def take(self) -> bool:
        """Whether the lock is ours, now or still.

        Raises:
            psycopg.OperationalError: the database is away, and with it the lock.
        """
        if self._connection is not None:
            try:
                row = self._connection.execute(_HELD, [_LOCK]).fetchone()
            except psycopg.Error:
                self.release()
                raise
            return bool(row and row[0])
        candidate = _connect()
        row = candidate.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if row is None or row[0] is not True:
            candidate.close()
            return False
        self._connection = candidate
        return True

    def release(self) -> None:
        """Let another have it."""
        held, self._connection = self._connection, None
        if held is not None:
            with contextlib.suppress(psycopg.Error):
                held.close()


def _connect() -> psycopg.Connection[tuple[object, ...]]:
    params = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port", "connect_timeout")
    return psycopg.connect(
        autocommit=True, **{name: params[name] for name in names if params.get(name)}
    )
