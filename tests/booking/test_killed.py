"""A process that dies leaves all of a deed or nothing, no lock, and a key that tells which."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from base_ops.core.models import Role
from booking import services
from booking.models import Allocation, Booking
from booking.services import Extra
from tests import make
from tests.booking import kills, world
from tests.booking.test_api import client, post, wish
from tests.booking.test_resources import pool

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prices"),
]
TABLES = (
    "booking_booking", "booking_allocation", "booking_bookingpart", "booking_waitlistentry",
    "billing_reservation", "billing_policyuse", "billing_budget", "billing_charge",
    "core_auditentry", "core_notice",
)  # fmt: skip


def everything() -> list[str]:
    """Every row that a deed on bookings may touch."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return found


def _book(now: datetime) -> Callable[[], object]:
    space, cameras, tenant = world.studio(), pool(2), make.tenant()
    asked = services.BookingWish(
        space=space, tenant=tenant, span=world.span(now + timedelta(hours=4)),
        extras=(Extra(pool=cameras, quantity=2),),
    )  # fmt: skip
    return lambda: services.book(wish=asked, actor=world.STAFF, now=now)


def _cancel(now: datetime) -> Callable[[], object]:
    """With somebody in line, to whom it is offered."""
    booking = world.booked(now=now)
    asked = services.BookingWish(space=booking.space, tenant=make.tenant(), span=booking.span)
    services.wait(wish=asked, any_of=None, actor=world.STAFF, now=now)
    return lambda: services.cancel(booking=booking, actor=world.STAFF, now=now)


def _move(now: datetime) -> Callable[[], object]:
    booking, target = world.booked(now=now), world.studio()
    change = services.Change(space=target, extras=[Extra(pool=pool(1))])
    return lambda: services.move(booking=booking, change=change, actor=world.STAFF, now=now)


def _swap(now: datetime) -> Callable[[], object]:
    one, other = world.booked(now=now), world.booked(now=now, start_min=240)
    return lambda: services.swap(one=one, other=other, actor=world.STAFF, now=now)


def _confirm(now: datetime) -> Callable[[], object]:
    booking = world.booked(now=now, hold=True)
    return lambda: services.confirm(booking=booking, actor=world.STAFF, now=now)


@pytest.mark.parametrize(
    ("prepared", "step"), [(_book, 1), (_confirm, 1), (_cancel, 3), (_move, 3), (_swap, 6)]
)
def test_killed_before_any_statement_it_leaves_nothing_behind(
    now: datetime, prepared: Callable[[datetime], Callable[[], object]], step: int
) -> None:
    deed = prepared(now)
    before = everything()

    for number in itertools.count(2, step):
        if not kills.before_statement(number, deed):
            break
        assert everything() == before, f"killed before statement {number}"

    assert number > 8
    assert everything() != before  # the last child was not killed, and found nothing locked


def test_killed_after_the_commit_the_same_key_tells_what_was_done(now: datetime) -> None:
    caller, asked = client(make.user(Role.TENANT_MEMBER)), wish(world.studio())
    key = "told-by-nobody"

    assert kills.after_commit(lambda: post(caller, "/bookings", asked, key=key))

    again: Any = post(caller, "/bookings", asked, key=key)
    assert again.status_code == 201
    assert again["Idempotency-Replayed"] == "true"
    assert Booking.objects.get().code == again.json()["code"]
    assert Allocation.objects.count() == 1
