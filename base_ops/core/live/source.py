"""What the hub asks the database: two connections of its own, one to listen and one to read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from django.db import connection

from base_ops.core.live.feed import LOG_BYTES, LOG_LENGTH
from base_ops.core.live.frames import Delta, Values

CONNECT_TIMEOUT_S = 5

# A topic and so much of its log, from the end, as a feed would keep.
_LOAD = """
SELECT t.name, t.epoch, t.seq, t.state::text, (
    SELECT json_agg(json_build_array(d.seq, d.set, d.unset, d.at) ORDER BY d.seq)::text
    FROM (
        SELECT seq, set, unset, at, sum(octet_length(set::text)) OVER (ORDER BY seq DESC) AS total
        FROM core_livedelta WHERE topic = t.name AND seq BETWEEN t.seq - %s AND t.seq
    ) AS d WHERE d.total <= %s)
FROM core_livetopic t WHERE t.name = ANY(%s)
"""
_DELTAS = """
SELECT t.name, t.epoch, d.seq, d.set::text, d.unset::text, to_json(d.at)#>>'{}'
FROM unnest(%s::text[], %s::bigint[]) AS w (topic, since)
JOIN core_livetopic t ON t.name = w.topic
JOIN core_livedelta d ON d.topic = w.topic AND d.seq > w.since
ORDER BY d.topic, d.seq
"""
_HEADS = "SELECT name, epoch, seq FROM core_livetopic WHERE name = ANY(%s)"

_values = msgspec.json.Decoder(Values)
_keys = msgspec.json.Decoder(tuple[str, ...])
_log = msgspec.json.Decoder(list[tuple[int, Values, tuple[str, ...], str]])


@dataclass(frozen=True, slots=True)
class Loaded:
    """A whole topic as one statement saw it."""

    topic: str
    epoch: str
    seq: int
    state: Values
    log: list[Delta]


class Source:
    """Reads topics; every method may raise psycopg.Error."""

    def __init__(
        self,
        listener: psycopg.AsyncConnection[tuple[Any, ...]],
        reader: psycopg.AsyncConnection[tuple[Any, ...]],
    ) -> None:
        self.listener = listener
        self._reader = reader

    async def load(self, topics: list[str]) -> dict[str, Loaded]:
        """Whole topics by name; one without a row has not been published yet."""
        rows = await (
            await self._reader.execute(_LOAD, [LOG_LENGTH - 1, LOG_BYTES, topics])
        ).fetchall()
        return {
            name: Loaded(
                name,
                epoch,
                seq,
                _values.decode(state),
                [Delta(*entry) for entry in _log.decode(log or "[]")],
            )
            for name, epoch, seq, state, log in rows
        }

    async def deltas(self, since: Mapping[str, int]) -> list[tuple[str, str, Delta]]:
        """(topic, epoch, change) of everything after the given heads, in order."""
        asked = [list(since), list(since.values())]
        rows = await (await self._reader.execute(_DELTAS, asked)).fetchall()
        return [
            (name, epoch, Delta(seq, _values.decode(given), _keys.decode(gone), at))
            for name, epoch, seq, given, gone, at in rows
        ]

    async def heads(self, topics: list[str]) -> dict[str, tuple[str, int]]:
        """(epoch, seq) by topic; also how the hub knows that the database is there."""
        rows = await (await self._reader.execute(_HEADS, [topics])).fetchall()
        return {name: (epoch, seq) for name, epoch, seq in rows}


@asynccontextmanager
async def connected() -> AsyncIterator[Source]:
    """Both connections, listening."""
    async with await _connect("hub") as listener, await _connect("hub-read") as reader:
        for channel in ("live", "live_tele", "authz"):
            await listener.execute(f"LISTEN {channel}")
        yield Source(listener, reader)


async def _connect(name: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """Another connection to Django's database, noticed within seconds when the network dies."""
    params = connection.get_connection_params()
    for django_only in ("cursor_factory", "context"):
        params.pop(django_only, None)
    params |= {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": f"base-ops-{name}"}
    params |= {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
    return await psycopg.AsyncConnection.connect(**params, autocommit=True)
