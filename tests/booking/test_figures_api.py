"""The figures through HTTP, and refusals counted outside the transaction they end."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space
from booking import services
from booking.api import refusing
from booking.domain.rules import ZONE, ceil_to_grid
from booking.models import RefusalCount
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
API = "/api/v1"
_keys = itertools.count(1)
MONTHS = {"from": "2026-09-01", "to": "2026-11-01"}


def client(role: Role) -> Client:
    token, _ = auth.new_token(user=make.user(role), name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def get(role: Role, **query: Any) -> Any:
    return client(role).get(f"{API}/figures/booking", MONTHS | query)


def refused(caller: Client, space: Space, **changes: Any) -> Any:
    """Ask for too many people, in 2 hours."""
    start = ceil_to_grid(clock.now() + timedelta(hours=2), 30)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    wish = {"space": space.code, "headcount": 99} | times | changes
    key = f"refused-{next(_keys):05d}"
    return caller.post(
        f"{API}/bookings", wish, content_type="application/json",
        headers={"Idempotency-Key": key},
    )  # fmt: skip


@pytest.mark.parametrize("role", [Role.MANAGER, Role.FINANCE, Role.LIAISON, Role.ADMIN])
@pytest.mark.parametrize("by", ["total", "month", "space_type"])
def test_who_reports_gets_every_figure_and_no_money(role: Role, by: str) -> None:
    world.studio()

    answer = get(role, by=by)

    assert answer.status_code == 200, answer.content
    assert [figure["code"] for figure in answer.json()["figures"]] == [
        "utilisation", "booked_ratio", "no_show_rate", "cancellation_rate", "lead_median_h",
        "lead_p90_h", "average_length_min", "sessions", "refusals",
    ]  # fmt: skip
    assert "fen" not in answer.content.decode()


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.TENANT_MEMBER, Role.TECHNICIAN])
def test_nobody_else_reads_them(role: Role) -> None:
    assert get(role).status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-09-02"}, "from"),
        ({"to": "2026-10-31"}, "to"),
        ({"by": "day"}, "by"),
        ({"by": "week"}, "by"),
    ],
)
def test_the_district_gets_whole_months_only(query: dict[str, str], field: str) -> None:
    answer = get(Role.LIAISON, **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "whole_months")
    assert [f["name"] for f in answer.json()["fields"]] == [field]
    assert get(Role.MANAGER, **query).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"to": "2026-09-01"},
        {"from": "2027-01-01"},
        {"from": "1999-12-31"},
        {"to": "2101-01-02"},
        {"from": "2020-01-01", "by": "day"},
    ],
)
def test_days_that_are_no_period_are_refused(query: dict[str, str]) -> None:
    answer = get(Role.MANAGER, **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_span")


def test_a_refused_booking_leaves_its_rules_counted_by_type_and_nothing_else() -> None:
    space, caller = world.studio(), client(Role.TENANT_MEMBER)

    answer = refused(caller, space, units=7)
    again = refused(caller, space, units=7)

    assert (answer.status_code, again.status_code) == (422, 422)
    today = clock.now().astimezone(ZONE).date()
    assert set(RefusalCount.objects.values_list("day", "rule", "space_type", "count")) == {
        (today, "capacity", space.type.code, 2), (today, "units", space.type.code, 2),
    }  # fmt: skip


def test_a_refusal_that_cannot_be_counted_is_answered_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(services, "count_refusal", fail)
    missed = refusing.NOT_COUNTED._value.get()

    answer = refused(client(Role.TENANT_MEMBER), world.studio())

    assert (answer.status_code, answer.json()["code"]) == (422, "rules_broken")
    assert refusing.NOT_COUNTED._value.get() == missed + 1
    assert not RefusalCount.objects.exists()


def test_a_refused_change_is_counted_for_the_space_of_the_booking() -> None:
    booking = world.booked(now=ceil_to_grid(clock.now(), 30))
    caller = client(Role.MANAGER)

    answer = caller.patch(
        f"{API}/bookings/{booking.code}", {"headcount": 99}, content_type="application/json",
        headers={"If-Match": f'"{booking.version}"'},
    )  # fmt: skip

    assert answer.status_code == 422, answer.content
    assert set(RefusalCount.objects.values_list("space_type", "count")) == {
        (booking.space.type.code, 1)
    }
