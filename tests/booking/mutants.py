"""Take exactly one protection away, so that the tests can be seen to notice.

`BASE_OPS_WITHOUT=NAME pytest -p tests.booking.mutants …` runs tests without the protection of that
name; the rivals of `tests.booking.contenders` hear the same variable.
"""

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

VARIABLE = "BASE_OPS_WITHOUT"
_dropped: list[str] = []


def apply(name: str) -> None:
    """Switch one protection off in this process; nothing without a name."""
    if name:
        MUTANTS[name]()


def restore(name: str) -> None:
    """Put back what the database itself had lost."""
    if name.startswith("constraint"):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE booking_booking CASCADE")
            cursor.execute(
                f"ALTER TABLE booking_allocation ADD CONSTRAINT {_dropped[0]} {_dropped[1]}"
            )


@pytest.fixture(scope="session", autouse=True)
def without(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Whatever the session's tests are, they run without it."""
    with django_db_blocker.unblock():
        apply(os.environ[VARIABLE])
    yield
    with django_db_blocker.unblock():
        restore(os.environ[VARIABLE])


def _constraint(name: str) -> Callable[[], None]:
    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
            )
            _dropped[:] = [name, cursor.fetchone()[0]]
            cursor.execute(f"ALTER TABLE booking_allocation DROP CONSTRAINT {name}")

    return drop


def _lock(*names: str) -> Callable[[], None]:
    def unlock() -> None:
        from booking.services import locking

        for name in names:
            setattr(locking, name, lambda *_, **__: [])

    return unlock


def _retries_of_deadlocks() -> None:
    from base_ops.core import db

    db.RETRYABLE = frozenset()


def _retries_of_stale_reading() -> None:
    from base_ops.core import db

    class Never(Exception):
        """Nobody raises it."""

    vars(db)["Stale"] = Never


def _idempotency() -> None:
    from base_ops.core import idempotency

    idempotency._won = lambda claim: None


def _idempotency_within_the_deed() -> None:
    """The key is kept, but after the deed's commit: a crash in between loses it."""
    from base_ops.core import idempotency, statements

    claim: list[tuple[str, Any]] = []

    def ask(sql: str, params: Any, *, expect: Any = None) -> None:
        if expect is not None:
            claim[:] = [(sql, params)]
            taken = "SELECT 1 FROM core_idempotencykey WHERE user_id = %s AND key = %s"
            if statements.first(taken, params[:2]):
                raise idempotency._Lost
            return

        def keep() -> None:
            statements.change(*claim[0])
            statements.change(sql, params)

        transaction.on_commit(keep)

    shim: Any = SimpleNamespace(ask=ask, flush=statements.flush)
    vars(idempotency)["statements"] = shim


def _expiry_on_read() -> None:
    from booking.selectors import taking

    ends = "AND (a.expires_at IS NULL OR a.expires_at > %s)"
    for name in ("_IN_SPACES", "_IN_POOLS"):
        sql = getattr(taking, name)
        assert ends in sql
        setattr(taking, name, sql.replace(ends, "AND %s::timestamptz IS NOT NULL"))


def _expiry_in_the_locking_transaction() -> None:
    from booking.services import locking

    locking.drop_expired = lambda *_, **__: 0


def _expiry_on_confirming() -> None:
    from booking.services import settling

    settling.check_time_left = lambda *_, **__: None


def _second_look_on_confirming() -> None:
    from booking.services import locking

    keep = locking.keep
    locking.keep = lambda booking: keep(booking) or True


def _turn_of_who_waits() -> None:
    from booking.services import waitlist

    waitlist.somebody_waits = lambda *_, **__: False


def _offers_to_who_waits() -> None:
    from booking.services import waiting

    waiting.offer_freed = lambda *_, **__: []


MUTANTS: dict[str, Callable[[], None]] = {
    "constraint_on_spaces": _constraint("allocation_no_overlap"),
    "constraint_on_pools": _constraint("allocation_no_overlap_in_pool"),
    "lock_on_spaces": _lock("lock_spaces", "ask_spaces"),
    "lock_on_pools": _lock("lock_pools"),
    "lock_on_tenants": _lock("lock_tenants", "ask_tenants", "ask_sites"),
    "retries_of_deadlocks": _retries_of_deadlocks,
    "retries_of_stale_reading": _retries_of_stale_reading,
    "idempotency": _idempotency,
    "idempotency_within_the_deed": _idempotency_within_the_deed,
    "expiry_on_read": _expiry_on_read,
    "expiry_in_the_locking_transaction": _expiry_in_the_locking_transaction,
    "expiry_on_confirming": _expiry_on_confirming,
    "second_look_on_confirming": _second_look_on_confirming,
    "turn_of_who_waits": _turn_of_who_waits,
    "offers_to_who_waits": _offers_to_who_waits,
}
