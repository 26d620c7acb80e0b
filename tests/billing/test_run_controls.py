"""Negative controls: each check is green as it is, and red with its protection taken away."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from billing.models import Budget, NumberSeries
from tests.billing import (
    mutants,
    rivals,
    test_races,
    test_reserving,
    test_run_checks,
    test_runs,
)

Check = Callable[[datetime], None]
RED = (AssertionError, pytest.fail.Exception)
NOTICED: dict[str, tuple[mutants.Mutant, Check, str]] = {  # and what the red check says
    "a fact charged twice": (
        mutants.unique_sources,
        test_reserving.test_one_fact_is_charged_once,
        r"assert \[\d+, ",
    ),
    "a gap in the numbers": (
        mutants.number_given_back,
        lambda _: test_runs.test_numbers_stay_gapless_when_a_transaction_rolls_back(),
        "'PYB-2026-000004' != 'PYB-2026-000002'",
    ),
    "a budget overspent": (
        mutants.budget_limit,
        lambda _: test_races.test_a_budget_cannot_be_overspent_even_past_the_service(),
        "DID NOT RAISE",
    ),
    "a run issued after its charges changed": (
        mutants.run_hash,
        test_runs.test_issue_is_refused_when_inputs_changed_since_approval,
        "DID NOT RAISE",
    ),
    "a document issued after its charges changed": (
        mutants.document_hash,
        test_run_checks.test_a_document_that_changed_is_left_out_for_good_and_the_others_go_on,
        "assert 3 == 2",
    ),
}


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize("harm", NOTICED)
def test_a_check_notices_that_its_protection_is_gone(
    harm: str, later: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away, check, said = NOTICED[harm]
    with transaction.atomic():
        check(later)
        transaction.set_rollback(True)

    take_away(monkeypatch)

    with pytest.raises(RED, match=said):
        check(later)


@pytest.mark.usefixtures("prices")
def test_without_the_constraint_more_than_the_budget_is_promised(
    later: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutants.budget_limit(monkeypatch)

    with pytest.raises(RED):
        NOTICED["a budget overspent"][1](later)

    assert Budget.objects.get(policy_code="P08", year=2026).left_fen < 0


@pytest.mark.django_db(transaction=True)
def test_without_the_counters_lock_two_draw_the_same_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = test_races.test_numbers_are_gapless_among_processes_that_roll_back
    monkeypatch.setattr(rivals, "race", raced_here)
    check()
    NumberSeries.objects.all().delete()

    mutants.number_lock(monkeypatch)

    with pytest.raises(RED):
        check()


def raced_here(deed: str, arguments: Sequence[str]) -> list[Any]:
    """The rivals' deed in threads, so that they lack what this process lacks."""
    start = Barrier(len(arguments))

    def rival(argument: str) -> Any:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return rivals.DEEDS[deed](argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(rival, arguments))
