"""Take exactly one protection of money away, so that the checks can be seen to notice.

Each changes this process and the transaction under way: what it drops in the database comes back
with the rollback, what it sets in a module with `monkeypatch`.
"""

from collections.abc import Callable

import pytest
from django.db import connection

from billing.services import charging, issuing, numbers, runs

Mutant = Callable[[pytest.MonkeyPatch], None]
# As who does not know that somebody else is counting: what it read is old when it writes. The
# pause is the work between both.
_UNLOCKED = """
WITH seen AS MATERIALIZED (
    SELECT coalesce(max(last), 0) AS last, pg_sleep(0.002)
      FROM billing_numberseries
)
INSERT INTO billing_numberseries AS s (series, year, last) SELECT %s, %s, seen.last + %s FROM seen
ON CONFLICT (series, year) DO UPDATE SET last = excluded.last
RETURNING s.last
"""


def unique_sources(patch: pytest.MonkeyPatch) -> None:
    """Neither facts nor charges are unique, and nothing is left out on a conflict."""
    _drop("billing_usagefact", "u")
    _drop("billing_charge", "u")
    conflict = " ON CONFLICT (source) DO NOTHING"
    assert conflict in charging._INSERT
    patch.setattr(charging, "_INSERT", charging._INSERT.replace(conflict, ""))


def number_lock(patch: pytest.MonkeyPatch) -> None:
    """The counter is read without its lock, so that two can read the same."""
    patch.setattr(numbers, "_DRAW", _UNLOCKED)


def number_given_back(patch: pytest.MonkeyPatch) -> None:
    """Numbers come from a sequence: nobody waits for it, and a rollback gives none back."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE unlocked")
    drawn = "SELECT max(nextval('unlocked')) FROM generate_series(1, %s)"
    patch.setattr(numbers, "_DRAW", f"WITH ignored AS (VALUES (%s, %s)) {drawn}")


def budget_limit(_: pytest.MonkeyPatch) -> None:
    """A budget may be below zero."""
    _drop("billing_budget", "c")


def run_hash(patch: pytest.MonkeyPatch) -> None:
    """A run is issued whatever became of its charges since the approval."""
    patch.setattr(runs, "_check_inputs", lambda run: None)


def document_hash(patch: pytest.MonkeyPatch) -> None:
    """A document is made whatever became of its charges since the preview."""
    differs = "now.hash <> e.inputs_hash"
    assert differs in issuing._CHANGED
    patch.setattr(issuing, "_CHANGED", issuing._CHANGED.replace(differs, "false"))


def _drop(table: str, kind: str) -> None:
    """Drop the constraints of a kind that a table has on its values; names are Django's."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = %s"
            " AND (contype = 'u' OR conname LIKE '%%never_negative')",
            [table, kind],
        )
        names = [name for (name,) in cursor.fetchall()]
        assert len(names) == 1, names
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{names[0]}"')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
