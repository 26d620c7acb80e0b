"""Requests per second: an empty authenticated endpoint, the same on stock Django, and a booking.

16 connections; rounds in turns, so that a busy machine is as busy for each.
"""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks import rig
from benchmarks.http_load import load

if TYPE_CHECKING:
    from tests.web_server import WebServer

NAME = "http"
CLIENTS = 16
ROUNDS, ROUND_S = 4, 2.0
TARGET = 2.5
_STOCK = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_http")


def measure() -> list[dict[str, Any]]:
    """Ours against stock, and bookings against ours."""
    rig.prepare()
    from tests import web_server

    token, wishes = _world()
    stock, ours, booked = _Measured(), _Measured(), _Measured()
    with (
        web_server.running(program="benchmarks/stock_web.py", extra=_STOCK) as theirs,
        web_server.running() as mine,
    ):
        for _ in range(1 + ROUNDS):  # in turns, so that a busy machine is as busy for both
            stock.add(theirs, itertools.repeat(_ping(token)), 200)
            ours.add(mine, itertools.repeat(_ping(token)), 200)
            booked.add(mine, (_booking(token, wish) for wish in wishes), 201)
    return [
        {
            "name": "http: empty authenticated endpoint, against Django's own ASGI handler",
            "ours": round(ours.per_second),
            "limit": round(stock.per_second),
            "ratio": (gain := rig.ratio(ours.per_second, stock.per_second)),
            "target": f">= {TARGET}",
            "kept": gain >= TARGET,
            "unit": "requests/s",
            "cpu_ms": ours.cpu_ms,
            "limit_cpu_ms": stock.cpu_ms,
        },
        {
            "name": "http: booking POST (201), against the empty authenticated endpoint",
            "ours": round(booked.per_second),
            "limit": round(ours.per_second),
            "ratio": rig.ratio(booked.per_second, ours.per_second),
            "unit": "requests/s",
            "cpu_ms": booked.cpu_ms,
            "limit_cpu_ms": ours.cpu_ms,
            "refused": booked.refused,
        },
    ]


class _Measured:
    """Rounds against one server; the first one warms it up and does not count."""

    def __init__(self) -> None:
        self._warm = False
        self.answered = self.refused = 0
        self._seconds = self._cpu_s = 0.0

    def add(self, server: "WebServer", requests: Iterator[bytes], wanted: int) -> None:
        """One round."""
        process = psutil.Process(server.process.pid)
        before = process.cpu_times()
        port = int(server.url.rpartition(":")[2])
        rate = asyncio.run(load(port, requests, clients=CLIENTS, wanted=wanted, seconds=ROUND_S))
        after = process.cpu_times()
        if not self._warm:
            self._warm = True
            return
        self.answered += rate.answered
        self.refused += rate.refused
        self._seconds += rate.seconds
        self._cpu_s += after.user + after.system - before.user - before.system

    @property
    def per_second(self) -> float:
        """Wanted answers per second."""
        return self.answered / self._seconds

    @property
    def cpu_ms(self) -> float:
        """The web process's processor time per wanted answer, in ms: says it on a busy machine."""
        return round(1000 * self._cpu_s / max(1, self.answered), 2)


def _ping(token: str) -> bytes:
    return (
        f"GET /api/v1/ping HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


_number = itertools.count(1)


def _booking(token: str, wish: dict[str, Any]) -> bytes:
    body = json.dumps(wish).encode()
    head = (
        "POST /api/v1/bookings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: bench-{next(_number):08d}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _world() -> tuple[str, Iterator[dict[str, Any]]]:
    """The demo base and one rich tenant's member; wishes for slots that nobody has."""
    from django.core.management import call_command

    from base_ops.core import auth, clock
    from base_ops.core.models import Role, Space, Tenant
    from tests import make

    with contextlib.redirect_stdout(sys.stderr):
        call_command("import_base")
        call_command("seed_demo")
    tenant = Tenant.objects.filter(compliance_rating="A", status="active").first()
    assert tenant is not None
    Tenant.objects.filter(pk=tenant.pk).update(credit_limit_fen=10**12)
    user = make.user(Role.TENANT_ADMIN, tenant=tenant)
    token, _ = auth.new_token(user=user, name="bench", now=clock.now())
    spaces = list(
        Space.objects.filter(bookable=True, booking_mode="hourly").values_list("code", flat=True)
    )
    first = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=40)
    starts = (first + timedelta(hours=2 * n) for n in range(12 * 45))
    return token, (
        {
            "space": code,
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=1)).isoformat(),
            "title": "bench",
            "purpose": "live",
            "headcount": 1,
        }
        for start in starts
        for code in spaces
    )


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(measure())}\n")
