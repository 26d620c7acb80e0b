"""Refusals by rivals: rows that stay locked, bookings that move while they are being locked."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection

from base_ops.core import db
from booking.models import Booking
from tests.api.refusing import confirmed, is_problem, member
from tests.booking import world
from tests.booking.test_api import client, post
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("prices"), pytest.mark.django_db(transaction=True)]


@contextmanager
def _connected() -> Iterator[psycopg.Connection]:
    """One more connection to the tests' database."""
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    url = f"{address.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")
    with psycopg.connect(url) as rival:
        yield rival


def _lock(rival: psycopg.Connection, space_id: int) -> None:
    rival.execute("SELECT 1 FROM core_space WHERE id = %s FOR NO KEY UPDATE", [space_id])


def _ours() -> int:
    """The server's number of the connection that requests use here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _move_when_blocked(
    rival: psycopg.Connection, other: psycopg.Connection, booking: Booking, to: int, ours: int
) -> None:
    """Once the request waits for the rival: move the booking, and let the room go.

    `other` holds the room that it moves to.
    """
    blocked, mine = "SELECT %s = ANY(pg_blocking_pids(%s))", rival.info.backend_pid
    eventually(lambda: other.execute(blocked, [mine, ours]).fetchone() == (True,))
    rival.execute("UPDATE booking_booking SET space_id = %s WHERE id = %s", [to, booking.pk])
    rival.commit()


def _cancelled_while_it_moves(caller: Any, booking: Booking, rooms: list[int]) -> Any:
    """The answer to a cancellation during which the booking moves through these rooms.

    The next room is locked by one rival before the other lets go of the last.
    """
    ours = _ours()
    with _connected() as one, _connected() as other:
        _lock(one, booking.space_id)

        def move() -> None:
            for n, room in enumerate(rooms):
                holder, next_one = (one, other) if n % 2 == 0 else (other, one)
                _lock(next_one, room)
                _move_when_blocked(holder, next_one, booking, room, ours)
            for rival in (one, other):
                rival.commit()

        mover = threading.Thread(target=move)
        mover.start()
        answer = post(caller, f"/bookings/{booking.code}/cancel")
        mover.join()
    return answer


def test_rows_that_stay_locked_are_a_problem_to_try_again() -> None:
    caller = client(member())
    booking = confirmed(caller)

    with _connected() as rival, connection.cursor() as cursor:
        _lock(rival, booking.space_id)
        cursor.execute("SET lock_timeout = '20ms'")
        try:
            answer = post(caller, f"/bookings/{booking.code}/cancel")
        finally:
            cursor.execute("RESET lock_timeout")

    is_problem(answer, 503, "contended")
    assert answer["Retry-After"]


def test_a_booking_that_was_moved_while_it_was_being_locked_is_looked_at_again() -> None:
    caller = client(member())
    booking, spare = confirmed(caller), world.studio()

    answer = _cancelled_while_it_moves(caller, booking, [spare.pk])

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["space"]["code"] == spare.code


def test_one_that_moves_away_every_time_is_a_problem() -> None:
    caller = client(member())
    booking = confirmed(caller)
    spares = [world.studio().pk for _ in range(db.ATTEMPTS)]

    answer = _cancelled_while_it_moves(caller, booking, spares)

    is_problem(answer, 409, "moved_meanwhile")
    booking.refresh_from_db()
    assert (booking.status, booking.space_id) == ("confirmed", spares[-1])
