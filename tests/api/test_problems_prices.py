"""Refusals about price lists, each provoked by a request of its own."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from billing.domain.texts import local_day
from tests import make
from tests.api.refusing import Provoked, is_problem
from tests.billing import lists
from tests.booking.test_api import API, client, post

pytestmark = pytest.mark.usefixtures("prices")


def _finance() -> Any:
    return client(make.user(Role.FINANCE))


def _day(ahead: int = 5) -> dict[str, str]:
    return {"valid_from": str(local_day(clock.now()) + timedelta(days=ahead))}


def _draft(caller: Any) -> str:
    made = post(caller, "/price-books", {"name": "新价目", "document": lists.document()})
    return f"/price-books/{made.json()['number']}"


def _act(caller: Any, path: str, body: dict[str, str]) -> Any:
    return caller.post(
        f"{API}{path}", body, content_type="application/json",
        headers={"If-Match": "*", "Idempotency-Key": f"prices-{path}-{sorted(body.values())}"},
    )  # fmt: skip


def no_such_price_list() -> Any:
    return _finance().get(f"{API}/price-books/987654")


def bad_price_list() -> Any:
    """From yesterday on."""
    caller = _finance()
    return _act(caller, f"{_draft(caller)}/activate", _day(-1))


def price_list_not_a_draft() -> Any:
    caller = _finance()
    path = f"{_draft(caller)}/activate"
    assert _act(caller, path, _day()).status_code == 200
    return _act(caller, path, _day(6))


def price_list_day_taken() -> Any:
    caller = _finance()
    assert _act(caller, f"{_draft(caller)}/activate", _day()).status_code == 200
    return _act(caller, f"{_draft(caller)}/activate", _day())


def price_list_not_ahead() -> Any:
    caller = _finance()
    return _act(caller, f"{_draft(caller)}/withdraw", {})


PROVOKED: Provoked = {
    "bad_price_list": (422, bad_price_list),
    "no_such_price_list": (404, no_such_price_list),
    "price_list_day_taken": (409, price_list_day_taken),
    "price_list_not_a_draft": (409, price_list_not_a_draft),
    "price_list_not_ahead": (409, price_list_not_ahead),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
