"""A cheap HTTP/1.1 client: prepared requests over connections that stay open."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """What one run measured."""

    answered: int
    seconds: float
    refused: int

    @property
    def per_second(self) -> float:
        """Answers with the wanted status per second."""
        return self.answered / self.seconds


async def load(
    port: int, requests: Iterator[bytes], *, clients: int, wanted: int, seconds: float
) -> Rate:
    """Send `requests` from `clients` connections for `seconds`, or until there are none left."""
    began = time.perf_counter()
    until = began + seconds
    counts = await asyncio.gather(
        *(_client(port, requests, wanted, until) for _ in range(clients))
    )
    took = time.perf_counter() - began
    return Rate(sum(ok for ok, _ in counts), took, sum(bad for _, bad in counts))


async def _client(
    port: int, requests: Iterator[bytes], wanted: int, until: float
) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ok = bad = 0
    while time.perf_counter() < until and (request := next(requests, None)) is not None:
        writer.write(request)
        if await _status(reader) == wanted:
            ok += 1
        else:
            bad += 1
    writer.close()
    return ok, bad


async def _status(reader: asyncio.StreamReader) -> int:
    """Read one answer; our server always says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line[15:])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return int(head[9:12])
