"""Runs statements by the names under which the server keeps their plans, several at once.

A psycopg cursor is made anew for every statement and drives libpq through a generator; that costs
more than the statement itself. Here psycopg's adapters do the parameters and rows, and libpq is
called at once, in its pipeline mode: all that is asked together goes out in one piece, and the
thread waits once. Nothing else on the connection may prepare: psycopg would deallocate all.
"""

import re
import select
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]
Params = Sequence[Any] | Mapping[str, Any]
Asked = tuple[str, Params]
MOST = 200
BEGIN: Asked = ("BEGIN", ())
COMMIT: Asked = ("COMMIT", ())
_PLACE = re.compile(r"%(?:\((\w+)\))?s|%%")
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# A number's size must not make it another statement: smallint and integer (arrays) go as bigint.
_WIDE = {21: 20, 23: 20, 1005: 1016, 1007: 1016}
_Bound = tuple[bytes, Any, Any]


class Session:
    """The statements that one connection has prepared."""

    def __init__(self, link: "psycopg.Connection[Any]") -> None:
        self._pg = link.pgconn
        self._adapters = Transformer(link)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._answer = select.poll()
        self._answer.register(self._pg.socket, select.POLLIN)

    def run(self, asked: Sequence[Asked]) -> list[tuple[list[Row], int]]:
        """Of each statement the rows, and how many rows were given or changed.

        Raises:
            psycopg.Error: the server refused one; those after it were not run.
        """
        if len(self._names) + len(asked) > MOST:
            self._pg.exec_(b"DEALLOCATE ALL")
            self._names.clear()
        bound = [self._bind(sql, params) for sql, params in asked]
        return [self._read(result) for result in self._exchange(bound)]

    def _bind(self, sql: str, params: Params) -> _Bound:
        """The statement's name, and its values with their formats as they are sent."""
        text, order = _numbered(sql)
        given: list[Any] = (
            [params[name] for name in order] if isinstance(params, Mapping) else [*params]
        )
        values = self._adapters.dump_sequence(given, [PyFormat.TEXT] * len(given))
        types = self._adapters.types or ()
        name = self._names.get((sql, types)) or self._prepare(sql, text, types)
        return name, values, self._adapters.formats

    def _prepare(self, sql: str, text: bytes, types: tuple[int, ...]) -> bytes:
        wide = tuple(_WIDE.get(oid, oid) for oid in types)
        name = self._names.get((sql, wide))
        if name is None:
            name = self._names[sql, wide] = f"known_{len(self._names)}".encode()
            _done(self._pg.prepare(name, text, wide))
        self._names[sql, types] = name
        return name

    def _exchange(self, bound: Sequence[_Bound]) -> list[PGresult]:
        """Send all and wait for all. Whatever breaks off in between ends the connection."""
        pg = self._pg
        pg.enter_pipeline_mode()
        try:
            for name, values, formats in bound:
                pg.send_query_prepared(name, values, formats)
            pg.pipeline_sync()
            found = self._receive()
        except BaseException:
            pg.finish()
            raise
        pg.exit_pipeline_mode()
        return [_done(result) for result in found]

    def _receive(self) -> list[PGresult]:
        """The results up to the point of synchronisation."""
        pg = self._pg
        while pg.flush():
            self._answer.poll(1)
            pg.consume_input()
        found: list[PGresult] = []
        while True:
            while pg.is_busy():
                self._answer.poll()
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)

    def _read(self, result: PGresult) -> tuple[list[Row], int]:
        rows: list[Row] = []
        if result.ntuples:
            self._adapters.set_pgresult(result)
            rows = self._adapters.load_rows(0, result.ntuples, tuple)
        return rows, result.command_tuples or 0


_sessions: "WeakKeyDictionary[psycopg.Connection[Any], Session]" = WeakKeyDictionary()


def run(link: "psycopg.Connection[Any]", asked: Sequence[Asked]) -> list[tuple[list[Row], int]]:
    """Run statements in one exchange, in a transaction if the connection wants one.

    Raises:
        psycopg.Error: the server refused one; those after it were not run.
    """
    session = _sessions.get(link)
    if session is None:
        session = _sessions[link] = Session(link)
    if link.autocommit or link.pgconn.transaction_status != TransactionStatus.IDLE:
        return session.run(asked)
    if (link.isolation_level, link.read_only, link.deferrable) != (None, None, None):
        link.execute("")  # psycopg begins it, with those options
        return session.run(asked)
    return session.run([BEGIN, *asked])[1:]


def _done(result: PGresult) -> PGresult:
    if result.status not in _DONE:
        raise psycopg.errors.error_from_result(result)
    return result


@lru_cache(maxsize=1000)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with $1, $2 … for its places, and the names in that order."""
    names: list[str] = []
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] == "%%":
            return "%"
        if found[1] is None:
            count += 1
            return f"${count}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACE.sub(number, sql).encode(), tuple(names)
