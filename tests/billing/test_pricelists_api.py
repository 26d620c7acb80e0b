"""Price lists through their public doors."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from billing.domain.texts import local_day
from tests.billing import lists
from tests.billing.test_api import Caller, caller
from tests.billing.world import room

pytestmark = pytest.mark.usefixtures("prices")


def ahead(days: int) -> str:
    found: date = local_day(clock.now()) + timedelta(days=days)
    return found.isoformat()


def send(who: Caller, verb: str, path: str, body: Any, etag: str | None) -> Any:
    headers = who.headers | {"Idempotency-Key": f"key-{id(body)}-{path}-{etag}"[:64]}
    return getattr(who.client, verb)(
        f"/api/v1{path}",
        data=json.dumps(body),
        content_type="application/json",
        headers=headers | ({"If-Match": etag} if etag else {}),
    )


def drafted(who: Caller, document: dict[str, Any]) -> int:
    answer = who.post("/price-books", {"name": "新价目", "document": document})
    assert answer.status_code == 201, answer.json()
    return int(answer.json()["number"])


def test_a_list_is_drafted_from_the_prices_in_force_edited_and_put_in_force(
    later: datetime,
) -> None:
    finance = caller(Role.FINANCE, later)
    present = finance.get("/price-books/in-force").json()
    assert present["number"] is None
    number = drafted(finance, present["document"])
    read = finance.get(f"/price-books/{number}")
    wish = {"name": "涨价", "document": lists.dearer()}

    edited = send(finance, "put", f"/price-books/{number}", wish, read.headers["ETag"])
    stale = send(finance, "put", f"/price-books/{number}", wish, read.headers["ETag"])
    blind = send(finance, "put", f"/price-books/{number}", wish, None)
    started = {"valid_from": ahead(3)}
    active = send(
        finance, "post", f"/price-books/{number}/activate", started, edited.headers["ETag"]
    )

    assert (edited.status_code, stale.status_code, blind.status_code) == (200, 412, 428)
    assert (active.status_code, active.json()["state"]) == (200, "active")
    assert finance.get(f"/price-books/in-force?on={ahead(2)}").json()["number"] is None
    then = finance.get(f"/price-books/in-force?on={ahead(3)}").json()
    assert (then["number"], then["document"]) == (number, lists.dearer())
    hourly = {
        on: finance.get(f"/tariffs?on={on}").json()["tariffs"][0]["hourly_fen"]["standard"]
        for on in (ahead(2), ahead(3))
    }
    assert hourly == {ahead(2): 6_000, ahead(3): 10_000}
    assert len(finance.get(f"/services?on={ahead(3)}").json()) == 12
    [listed] = finance.get("/price-books").json()["items"]
    assert (listed["number"], listed["valid_from"]) == (number, ahead(3))


def test_a_draft_with_faults_is_kept_but_never_in_force(later: datetime) -> None:
    finance = caller(Role.FINANCE, later)
    room()  # a single studio, which needs TF-SINGLE
    broken = lists.document()
    broken["time_bands"][1]["from_time"] = "10:00"
    broken["tariffs"][1]["hourly"]["prime"] = "-5"
    without = lists.document()
    del without["tariffs"][0]

    checked = finance.post("/price-books/check", {"document": broken, "valid_from": ahead(1)})
    lacking = finance.post("/price-books/check", {"document": without, "valid_from": ahead(1)})
    number = drafted(finance, broken)
    refused = send(
        finance, "post", f"/price-books/{number}/activate", {"valid_from": ahead(1)}, "*"
    )

    names = ["time_bands", "tariffs.1.hourly.prime"]
    assert [fault["name"] for fault in checked.json()["faults"]] == names
    assert "时段" in checked.json()["faults"][0]["reason_zh"]
    assert "TF-SINGLE" in lacking.json()["faults"][0]["reason_en"]
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_price_list")
    assert [fault["name"] for fault in refused.json()["fields"]] == names
    assert finance.get(f"/price-books/{number}").json()["state"] == "draft"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.LIAISON, Role.TENANT_ADMIN])
def test_price_lists_are_for_finance(later: datetime, role: Role) -> None:
    somebody, body = caller(role, later), {"name": "x", "document": {}}

    assert somebody.get("/price-books").status_code == 403
    assert somebody.get("/price-books/in-force").status_code == 403
    assert somebody.get("/price-books/1").status_code == 403
    assert somebody.post("/price-books", body).status_code == 403
    for path, wish in (("check", {"document": {}, "valid_from": ahead(1)}),):
        assert somebody.post(f"/price-books/{path}", wish).status_code == 403
    assert send(somebody, "put", "/price-books/1", body, "*").status_code == 403
    wish = {"valid_from": ahead(1)}
    assert send(somebody, "post", "/price-books/1/activate", wish, "*").status_code == 403
    assert send(somebody, "post", "/price-books/1/withdraw", {}, "*").status_code == 403


def test_an_administrator_may_too(later: datetime) -> None:
    assert caller(Role.ADMIN, later).get("/price-books").status_code == 200
