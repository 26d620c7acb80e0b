"""Requests per second: an empty authenticated endpoint, the same on stock Django, and a booking.

16 connections of one client, personal tokens of many tenants; rounds in turns, so that a busy
machine is as busy for each. A booking is confirmed at once, with an Idempotency-Key; the rules in
force have every kind of limit, none of which refuses, and every policy is judged. Wishes are
spread over spaces, tenants and days, so that nobody waits for anybody.
"""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psutil

from benchmarks import rig
from benchmarks.http_load import load

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from base_ops.core.models import Tenant
    from tests.web_server import WebServer

NAME = "http"
CLIENTS = 16
ROUNDS, ROUND_S = 4, 2.0
TARGET = 2.5
BOOKING_TARGET = 0.5
FROM_DAY, TO_DAY = 12, 84
STARTS = (0, 8, 16)
_GENEROUS: list[tuple[str, dict[str, Any]]] = [
    ("max_days", {"days": 3}),
    ("min_notice", {"minutes": 30}),
    ("credit_limit", {"limit_fen": "own"}),
    ("required_documents", {"documents": ["licence"]}),
    ("approval", {"over_people": 50}),
    ("hours_quota", {"period": "month", "minutes": 700 * 60}),
    ("count_quota", {"period": "day", "most": 40}),
    ("count_quota", {"period": "week", "most": 200}),
    ("venue_concurrent", {"most": 400}),
]
_STOCK = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_http")


def measure() -> list[dict[str, Any]]:
    """Ours against stock, and bookings against ours."""
    rig.prepare()
    from tests import web_server

    tokens, wishes = _world()
    pings = itertools.cycle([_ping(token) for token in tokens])
    stock, ours, booked = _Measured(), _Measured(), _Measured()
    with (
        web_server.running(program="benchmarks/stock_web.py", extra=_STOCK) as theirs,
        web_server.running() as mine,
    ):
        for _ in range(1 + ROUNDS):  # in turns, so that a busy machine is as busy for both
            stock.add(theirs, pings, 200)
            ours.add(mine, pings, 200)
            booked.add(mine, wishes, 201)
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
            "ratio": (part := rig.ratio(booked.per_second, ours.per_second)),
            "target": f">= {BOOKING_TARGET}",
            "kept": part >= BOOKING_TARGET,
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


def _world() -> tuple[list[str], Iterator[bytes]]:
    """The demo base, a member's token of each tenant, and wishes for slots that nobody has."""
    from django.core.management import call_command

    from base_ops.core import auth, clock
    from base_ops.core.models import Role, Space, Tenant
    from booking.models import Allocation
    from tests import make

    with contextlib.redirect_stdout(sys.stderr):
        call_command("import_base")
        call_command("seed_demo")
    tenants = Tenant.objects.filter(status="active").exclude(compliance_rating="D")
    tenants.update(credit_limit_fen=10**12)
    tenants = tenants.exclude(category="anchor")  # two rooms at once are all they may have
    _limit_everything(tenants)
    users = [make.user(Role.TENANT_ADMIN, tenant=tenant) for tenant in tenants]
    tokens = [auth.new_token(user=user, name="bench", now=clock.now())[0] for user in users]
    leased = Allocation.objects.filter(kind="lease", active=True)
    spaces = Space.objects.filter(bookable=True, booking_mode="hourly").select_related("type")
    free = spaces.exclude(pk__in=leased.values("space"))
    minutes = {space.code: max(60, space.type.min_min) for space in free}
    return tokens, _bookings(tokens, minutes, clock.now())


def _bookings(tokens: list[str], minutes: dict[str, int], now: datetime) -> Iterator[bytes]:
    """One wish after the other, each of another space and tenant than those around it."""
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    callers = itertools.cycle(tokens)
    for day, hour in itertools.product(range(FROM_DAY, TO_DAY), STARTS):
        start = today + timedelta(days=day, hours=hour)
        for code, length in minutes.items():
            wish = {
                "space": code,
                "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(minutes=length)).isoformat(),
                "title": "bench",
                "purpose": "live_sales",
                "headcount": 1,
                "confirm": True,
            }
            yield _booking(next(callers), wish)


def _limit_everything(tenants: "QuerySet[Tenant]") -> None:
    """Rules of every kind that limits, beside a new base's own; and the papers they ask."""
    from base_ops.core import clock
    from base_ops.core.actors import SYSTEM
    from billing.models import Evidence
    from booking import services
    from booking.domain.rulebook import standard

    document = standard.document()
    document["rules"] += [
        {"code": f"bench_{kind}_{n}", "kind": kind, "scope": {}, "params": given}
        for n, (kind, given) in enumerate(_GENEROUS)
    ]
    now = clock.now()
    services.publish_rules(document=document, actor=SYSTEM, now=now)
    Evidence.objects.bulk_create(
        Evidence(
            tenant=tenant,
            key="licence",
            valid_from=now.date() - timedelta(days=1),
            valid_to=now.date() + timedelta(days=2 * TO_DAY),
        )
        for tenant in tenants
    )


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(measure())}\n")
