"""64 clients race for one slot over HTTP: one wins, the others are told what else is free."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import connection

from base_ops.core import clock
from base_ops.core.models import Role, Space
from billing import importers
from booking.models import Booking
from tests import make, web_server
from tests.billing.data import demo
from tests.booking import world

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 64
SERVERS = 4  # threads of one process arrive one after another; processes do not
ROUNDS = 3
UNLOCKED = "tests/flows/manage_unlocked.py"


@pytest.fixture
def room(transactional_db: None) -> Space:
    """The room that everybody wants; an equal one stands by."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    room, _ = world.studio(), world.studio()
    return room


@pytest.fixture
def tokens(room: Space) -> list[str]:
    """64 tenants, each with a token."""
    return [web_server.token(make.user(Role.TENANT_ADMIN)) for _ in range(CLIENTS)]


@pytest.fixture
def without_constraint(room: Space) -> Iterator[None]:
    """Take the exclusion constraint away, and put it back on an emptied table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname = 'allocation_no_overlap'"
        )
        definition = cursor.fetchone()[0]
        cursor.execute("ALTER TABLE booking_allocation DROP CONSTRAINT allocation_no_overlap")
    yield
    Booking.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE booking_allocation ADD CONSTRAINT allocation_no_overlap " + definition
        )


def _start(day: int) -> datetime:
    later = clock.now() + timedelta(days=1 + day)
    return later.replace(minute=0, second=0, microsecond=0)


async def _race(urls: list[str], room: str, tokens: list[str], day: int) -> list[httpx.Response]:
    """Everybody connects first, to one of the servers in turn; then all ask at once."""
    starts_at = _start(day)
    body: dict[str, Any] = {
        "space": room,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "confirm": True,
    }
    gate = asyncio.Barrier(len(tokens))

    async def client(number: int, token: str) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"race-{day}-{number:04d}",
        }
        url = urls[number % len(urls)]
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as http:
            await http.get("/api/v1/ping")
            await gate.wait()
            return await http.post("/api/v1/bookings", json=body)

    return await asyncio.gather(*(client(n, token) for n, token in enumerate(tokens)))


def _run(room: Space, tokens: list[str], program: str = "manage.py") -> list[Counter[int]]:
    """The answers' statuses by round; every 409 must carry alternatives."""
    seen: list[Counter[int]] = []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(web_server.running(program=program)) for _ in range(SERVERS)
        ]
        for day in range(ROUNDS):
            answers = asyncio.run(_race([s.url for s in servers], room.code, tokens, day))
            seen.append(Counter(answer.status_code for answer in answers))
            for answer in answers:
                if answer.status_code == 409:
                    assert answer.json()["code"] == "slot_taken"
                    assert answer.json()["alternatives"]
    return seen


def test_of_64_clients_exactly_one_gets_the_slot(room: Space, tokens: list[str]) -> None:
    before = _deadlocks()

    assert _run(room, tokens) == [Counter({201: 1, 409: CLIENTS - 1})] * ROUNDS
    assert Booking.objects.count() == ROUNDS
    assert _deadlocks() == before


@pytest.mark.usefixtures("without_constraint")
def test_negative_control_without_lock_and_constraint_it_is_sold_twice(
    room: Space, tokens: list[str]
) -> None:
    assert max(round_[201] for round_ in _run(room, tokens, UNLOCKED)) > 1


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
