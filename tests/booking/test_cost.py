"""What a booking costs the database: it is asked a fixed, small number of times."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space
from booking.domain.rules import ceil_to_grid
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
_keys = itertools.count(1)
AROUND = 3  # the token with its user, the idempotency key and its answer


def caller() -> Client:
    token, _ = auth.new_token(user=make.user(Role.TENANT_ADMIN), name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def ask(client: Client, space: Space, days: int = 2) -> Any:
    start = ceil_to_grid(clock.now() + timedelta(days=days), 30)
    body = {
        "space": space.code,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=1)).isoformat(),
        "confirm": True,
    }
    return client.post(
        "/api/v1/bookings",
        body,
        content_type="application/json",
        headers={"Idempotency-Key": f"cost-{next(_keys):08d}"},
    )


def test_winning_and_losing_a_slot_take_few_queries() -> None:
    space, client, rival = world.studio(), caller(), caller()
    world.studio()
    ask(client, space, days=3)  # reads the price book

    with CaptureQueriesContext(connection) as won:
        first = ask(client, space)
    wins = len(won)
    with CaptureQueriesContext(connection) as lost:
        second = ask(rival, space)
    losses = len(lost)

    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["alternatives"]
    # Room; its lock and the tenant's; rules, slot, situation; booking, claim, notice, record.
    assert wins == AROUND + 10
    # … and, for the ways out, the rules in force, rivals and their gaps.
    assert losses <= AROUND + 8
