"""Runs a statement by the name under which the server keeps its plan.

A psycopg cursor is made anew for every statement and drives libpq through a generator; that costs
more than the statement itself. Here psycopg's adapters do the parameters and rows, and libpq is
called at once. Nothing else on the connection may prepare: psycopg would deallocate all.
"""

import re
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
MOST = 200
_PLACE = re.compile(r"%(?:\((\w+)\))?s|%%")
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# A number's size must not make it another statement: smallint and integer (arrays) go as bigint.
_WIDE = {21: 20, 23: 20, 1005: 1016, 1007: 1016}


class Session:
    """The statements that one connection has prepared."""

    def __init__(self, link: "psycopg.Connection[Any]") -> None:
        self._pg = link.pgconn
        self._adapters = Transformer(link)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def run(self, sql: str, params: Params) -> tuple[list[Row], int]:
        """The rows, and how many rows were given or changed.

        Raises:
            psycopg.Error: the server refused.
        """
        text, order = _numbered(sql)
        given: list[Any] = (
            [params[name] for name in order] if isinstance(params, Mapping) else [*params]
        )
        values: Any = self._adapters.dump_sequence(given, [PyFormat.TEXT] * len(given))
        types = self._adapters.types or ()
        name = self._names.get((sql, types)) or self._prepare(sql, text, types)
        result = _done(self._pg.exec_prepared(name, values, self._adapters.formats))
        self._adapters.set_pgresult(result)
        rows = self._adapters.load_rows(0, result.ntuples, tuple)
        return rows, result.command_tuples or 0

    def _prepare(self, sql: str, text: bytes, types: tuple[int, ...]) -> bytes:
        if len(self._names) >= MOST:
            self._pg.exec_(b"DEALLOCATE ALL")
            self._names.clear()
        wide = tuple(_WIDE.get(oid, oid) for oid in types)
        name = self._names.get((sql, wide))
        if name is None:
            name = self._names[sql, wide] = f"known_{len(self._names)}".encode()
            _done(self._pg.prepare(name, text, wide))
        self._names[sql, types] = name
        return name


_sessions: "WeakKeyDictionary[psycopg.Connection[Any], Session]" = WeakKeyDictionary()


def session(link: "psycopg.Connection[Any]") -> Session:
    """The connection's session, in a transaction if the connection wants one."""
    if not link.autocommit and link.pgconn.transaction_status == TransactionStatus.IDLE:
        if _is_special(link):
            link.execute("")
        else:
            _done(link.pgconn.exec_(b"BEGIN"))
    known = _sessions.get(link)
    if known is None:
        known = _sessions[link] = Session(link)
    return known


def _is_special(link: "psycopg.Connection[Any]") -> bool:
    """Whether its transactions begin with options; then psycopg begins them."""
    return (link.isolation_level, link.read_only, link.deferrable) != (None, None, None)


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
