"""Refusals about invoice runs, each provoked by a request of its own."""

from typing import Any

import pytest

from base_ops.core.models import Role
from billing.models import InvoiceRun, RunEntry, RunRules
from tests import make
from tests.api.refusing import Provoked, is_problem
from tests.billing.data import span
from tests.billing.world import finished, room
from tests.booking.test_api import client, post

pytestmark = pytest.mark.usefixtures("prices")


def _run() -> tuple[Any, str]:
    """Who previewed it, and its address; it has one document of January."""
    from base_ops.core import clock

    finished(tenant=make.tenant(), space=room(), span=span("01-14 10:00", 2), now=clock.now())
    finance = client(make.user(Role.FINANCE))
    made = post(finance, "/invoice-runs", {"month": "2026-01"}).json()
    return finance, f"/invoice-runs/{made['id']}"


def second_person_needed() -> Any:
    RunRules.objects.update_or_create(pk=1, defaults={"second_person_from_fen": 1})
    finance, path = _run()
    return post(finance, f"{path}/approve", {})


def no_such_entry() -> Any:
    finance, path = _run()
    return post(finance, f"{path}/entries/99/hold", {"reason": "x"})


def entry_not_held() -> Any:
    finance, path = _run()
    return post(finance, f"{path}/entries/1/release")


def entry_stuck() -> Any:
    finance, path = _run()
    run = InvoiceRun.objects.get(pk=path.rpartition("/")[2])
    RunEntry.objects.filter(run=run).update(problem="inputs_changed")
    return post(finance, f"{path}/entries/1/release")


PROVOKED: Provoked = {
    "entry_not_held": (409, entry_not_held),
    "entry_stuck": (409, entry_stuck),
    "no_such_entry": (404, no_such_entry),
    "second_person_needed": (403, second_person_needed),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_has_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
