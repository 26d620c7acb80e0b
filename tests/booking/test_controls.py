"""Negative controls: with any one protection taken away, tests that run green turn red.

Each control is a pytest process of its own, on a copy of the test database.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.billing.data import ROOT
from tests.booking import mutants

pytestmark = pytest.mark.django_db(transaction=True)

MEETING, BOOKING, API = "test_meeting.py", "test_booking.py", "test_api.py"
WAITLIST, KILLED, MOVING = "test_waitlist.py", "test_killed.py", "test_moving.py"
NOTICED_BY: dict[str, list[str]] = {
    "constraint_on_spaces": [
        f"{MEETING}::test_one_thing_is_not_taken_twice_even_by_who_did_not_look[space]"
    ],
    "constraint_on_pools": [
        f"{MEETING}::test_one_thing_is_not_taken_twice_even_by_who_did_not_look[pool]"
    ],
    "lock_on_spaces": [
        f"{MEETING}::test_who_comes_second_is_told_what_is_in_the_way",
        f"{MEETING}::test_who_waits_while_the_slot_is_freed_is_told_that_it_is_free",
    ],
    "lock_on_pools": [f"{MEETING}::test_who_comes_second_gets_the_other_camera"],
    "lock_on_tenants": [
        f"{MEETING}::test_a_quota_holds_for_bookings_of_different_rooms_at_once[concurrent]",
        f"{MEETING}::test_a_quota_holds_for_bookings_of_different_rooms_at_once[venue_concurrent]",
    ],
    "retries_of_deadlocks": [f"{MEETING}::test_a_deadlocks_victim_tries_again_and_nobody_notices"],
    "retries_of_stale_reading": [
        f"{MEETING}::test_a_booking_that_is_just_moved_is_cancelled_where_it_is_now",
        f"{MEETING}::test_a_booking_that_just_got_other_things_gives_all_of_them_back",
    ],
    "idempotency": [f"{API}::test_the_same_key_books_once_and_answers_the_same"],
    "idempotency_within_the_deed": [
        f"{KILLED}::test_killed_after_the_commit_the_same_key_tells_what_was_done"
    ],
    "expiry_on_read": [
        f"{BOOKING}::test_an_expired_hold_gives_way_in_the_transaction_that_wants_its_slot"
    ],
    "expiry_in_the_locking_transaction": [
        f"{BOOKING}::test_an_expired_hold_gives_way_in_the_transaction_that_wants_its_slot"
    ],
    "expiry_on_confirming": [
        f"{BOOKING}::test_confirming_after_the_hold_ended_is_refused",
    ],
    "second_look_on_confirming": [
        f"{MEETING}::test_a_hold_that_was_given_away_meanwhile_is_not_confirmed",
        f"{MEETING}::test_a_hold_of_which_a_part_was_given_away_is_not_confirmed",
    ],
    "turn_of_who_waits": [
        f"{WAITLIST}::test_nobody_slips_in_between_an_expired_offer_and_the_next_in_line",
        f"{MEETING}::test_nobody_moves_into_an_expired_hold_past_who_waits_for_it",
    ],
    "offers_to_who_waits": [
        f"{WAITLIST}::test_who_waits_first_gets_a_hold_in_the_transaction_that_frees_the_slot",
    ],
}
EVERY_TEST = sorted({node for nodes in NOTICED_BY.values() for node in nodes})


@pytest.fixture
def copies(transactional_db: None) -> Iterator[list[str]]:
    """A copy of the empty test database for each process that runs at the same time."""
    source = settings.DATABASES["default"]["NAME"]
    names = [f"test_control_{os.getpid()}_{n}" for n in range(os.cpu_count() or 1)]
    connection.close()  # nobody may be in a database that is copied
    with connection._nodb_cursor() as cursor:
        for name in names:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    yield names
    with connection._nodb_cursor() as cursor:
        for name in names:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def failures(databases: list[str]) -> dict[str, set[str]]:
    """The tests that failed, by the protection that was taken away; "" for none."""
    tests = {"": EVERY_TEST} | NOTICED_BY
    jobs = [
        {"without": name, "tests": [f"tests/booking/{node}" for node in nodes]}
        for name, nodes in tests.items()
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.booking.controls"],
        input=json.dumps({"jobs": jobs, "databases": databases}),
        stdout=subprocess.PIPE, text=True, cwd=ROOT, timeout=300, check=True,
    )  # fmt: skip
    return {
        ran["without"]: _failed(ran["code"], ran["said"], tests[ran["without"]])
        for ran in json.loads(done.stdout)
    }


def _failed(code: int, said: str, nodes: list[str]) -> set[str]:
    """Those of the tests that failed; anything else that went wrong is a failure here."""
    failed = {node for node in nodes if f"FAILED tests/booking/{node}" in said}
    assert code == bool(failed), said
    assert "ERROR tests/" not in said, said
    return failed


def test_every_protection_is_missed_by_a_test_when_it_is_gone(copies: list[str]) -> None:
    failed = failures(copies)

    survivors = {
        name: sorted(set(nodes) - failed[name])
        for name, nodes in NOTICED_BY.items()
        if failed[name] != set(nodes)
    }
    assert set(NOTICED_BY) == set(mutants.MUTANTS)
    assert failed[""] == set()
    assert survivors == {}
