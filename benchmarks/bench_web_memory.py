"""Does a web process grow? 100,000 requests of mixed kinds to one; its memory along the way.

Reads, searches, quotes, bookings, refusals, bodies that are no JSON: what a day brings. Memory is
the resident set after a tenth of them, when everything is loaded and every pool is full, against
the end; the slope is that of a straight line through the samples between.
"""

import asyncio
import itertools
import json
import statistics
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psutil

from benchmarks import rig
from benchmarks.http_load import load

CLIENTS = 8
SAMPLES = 20
WARM = SAMPLES // 10
TARGET = 1.05
MIB = 1024 * 1024


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_web_memory")


def measure() -> list[dict[str, Any]]:
    """The resident set after each part of the requests."""
    rig.prepare()
    from tests import web_server

    token, rooms, first = _world()
    each = rig.size(full=100_000, quick=2_000) // SAMPLES
    requests = _mixed(token, rooms, first)
    resident: list[int] = []
    answers = 0
    with web_server.running() as server:
        process = psutil.Process(server.process.pid)
        port = int(server.url.rpartition(":")[2])
        for _ in range(SAMPLES):
            part = itertools.islice(requests, each)
            rate = asyncio.run(load(port, part, clients=CLIENTS, wanted=200, seconds=3600))
            answers += rate.answered + rate.refused
            resident.append(process.memory_info().rss)
    warm, end = resident[WARM - 1], resident[-1]
    steps = [each * n for n in range(WARM, SAMPLES + 1)]
    slope = statistics.linear_regression(steps, resident[WARM - 1 :]).slope
    return [
        {
            "name": f"web memory: after {answers} requests, against after a tenth of them",
            "ours": round(end / MIB, 1),
            "limit": round(warm / MIB, 1),
            "ratio": (times := rig.ratio(end, warm)),
            "target": f"<= {TARGET}",
            "kept": times <= TARGET,
            "unit": "MiB",
            "bytes_per_request": round(slope, 1),
            "samples_mib": [round(size / MIB, 1) for size in resident],
        }
    ]


def _mixed(token: str, rooms: list[str], first: datetime) -> Iterator[bytes]:
    """Requests without end, ten kinds in turn."""
    for n in itertools.count():
        start = first + timedelta(hours=2 * (n // len(rooms) % 700))
        wish = {
            "space": rooms[n % len(rooms)],
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=1)).isoformat(),
            "headcount": 1,
        }
        window = (
            f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={start + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        )
        yield _get("ping", token)
        yield _get(f"availability?{window}", token)
        yield _post("quotes", json.dumps(wish), token, n)
        yield _post("bookings", json.dumps(wish), token, n)
        yield _get("bookings?limit=20", token)
        yield _get(f"timeline?{window}", token)
        yield _post("bookings", json.dumps(wish | {"headcount": 900}), token, n + 10**9)
        yield _get(f"bookings/BK{n:08d}", token)
        yield _post("bookings", "{no json", token, n + 2 * 10**9)
        yield _get("occupancy", "bo_unknown")


def _get(path: str, token: str) -> bytes:
    return (
        f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


def _post(path: str, text: str, token: str, number: int) -> bytes:
    body = text.encode()
    head = (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: memory-{number:012d}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _world() -> tuple[str, list[str], datetime]:
    """Prices, rooms, and somebody with credit."""
    from base_ops.core import auth, clock
    from base_ops.core.models import Role
    from billing import importers
    from booking.domain.rules import ceil_to_grid
    from tests import make
    from tests.billing.data import demo
    from tests.billing.world import room

    importers.load({**demo(), "tenants": [], "training_programmes": []})
    rich = make.tenant(compliance_rating="A", credit_limit_fen=10**12)
    user = make.user(Role.TENANT_ADMIN, tenant=rich)
    token, _ = auth.new_token(user=user, name="bench", now=clock.now())
    rooms = [room().code for _ in range(20)]
    return token, rooms, ceil_to_grid(clock.now() + timedelta(days=1), 60)


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(measure())}\n")
