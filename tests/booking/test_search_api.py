"""Search through HTTP: filters, order, prices only for whom they concern, nobody's names."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg.types.range import TimestamptzRange

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space, User
from booking.domain.rules import ZONE, ceil_to_grid
from booking.models import Allocation
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
API = "/api/v1"


def client(user: User) -> Client:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def caller() -> Client:
    return client(make.user(Role.TENANT_MEMBER))


@pytest.fixture
def staff() -> Client:
    return client(make.user(Role.MANAGER))


@pytest.fixture
def start() -> datetime:
    """The next full hour at least two hours ahead."""
    return ceil_to_grid(clock.now() + timedelta(hours=2), 60)


def window(start: datetime, minutes: int = 60) -> dict[str, Any]:
    return {
        "from": start.isoformat(),
        "to": (start + timedelta(minutes=minutes)).isoformat(),
    }


def block(space: Space, start: datetime, minutes: int, **changes: Any) -> Allocation:
    span = TimestamptzRange(start, start + timedelta(minutes=minutes), "[)")
    return Allocation.objects.create(
        **{"space": space, "block": span, "kind": "blackout"} | changes
    )


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["space"] for item in answer.json()["items"]]


def test_a_search_names_everything_the_space_must_have(caller: Client, start: datetime) -> None:
    both = world.studio(features=["safe", "macro", "wifi"], capacity=8)
    world.studio(features=["safe"], capacity=8)
    hall = make.space(type=make.space_type(group="event", tariff_code=""), capacity=9)
    seats = make.space(type=hall.type, unit_count=5, capacity=9)

    def found(**query: Any) -> list[str]:
        return codes(caller.get(f"{API}/availability", window(start) | query))

    assert found(feature=["safe", "macro"]) == [both.code]
    assert set(found(group="event")) == {hall.code, seats.code}
    assert found(group="event", units=3) == [seats.code]
    assert found(capacity=9, space=[both.code, hall.code]) == [hall.code]
    assert found(floor=hall.floor.code) == [hall.code]
    assert found(type="studio_single", feature="nothing has this") == []


def test_units_are_free_when_as_many_are_free_at_once(caller: Client, start: datetime) -> None:
    seats = world.studio(unit_count=3)
    block(seats, start, 60, unit=1)
    query = window(start) | {"space": seats.code}

    (one,) = caller.get(f"{API}/availability", query | {"units": 2}).json()["items"]
    (many,) = caller.get(f"{API}/availability", query | {"units": 3}).json()["items"]
    none = caller.get(f"{API}/availability", query | {"units": 4}).json()["items"]

    assert (one["free"], one["free_units"]) == (True, 2)
    assert (many["free"], many["free_units"]) == (False, 2)
    assert datetime.fromisoformat(many["next_free_at"]) == start + timedelta(minutes=90)
    assert none == []


def test_order_and_price_limit_follow_the_tenants_own_prices(
    caller: Client, start: datetime
) -> None:
    team = make.space_type(code="studio_team", tariff_code="TF-TEAM")
    dear, cheap, busy = make.space(type=team, capacity=9), world.studio(), world.studio()
    block(busy, start, 60)

    by_price = caller.get(f"{API}/availability", window(start) | {"sort": "price"})
    items = {item["space"]: item for item in by_price.json()["items"]}
    limit = items[cheap.code]["price_fen"]
    below = caller.get(f"{API}/availability", window(start) | {"max_price_fen": limit})
    free = caller.get(
        f"{API}/availability", window(start) | {"max_price_fen": limit, "free": True}
    )
    largest = caller.get(f"{API}/availability", window(start) | {"sort": "capacity"})

    assert codes(by_price) == [cheap.code, dear.code, busy.code]
    assert set(codes(below)) == {cheap.code, busy.code}
    assert codes(free) == [cheap.code]
    assert codes(largest)[1] == dear.code


@pytest.mark.parametrize("query", [{"sort": "price"}, {"max_price_fen": 100}])
@pytest.mark.parametrize("role", [Role.MANAGER, Role.TECHNICIAN, Role.LIAISON, Role.FINANCE])
def test_nobody_searches_by_the_price_of_no_tenant(
    query: dict[str, Any], role: Role, start: datetime
) -> None:
    world.studio()

    answer = client(make.user(role)).get(f"{API}/availability", window(start) | query)

    assert (answer.status_code, answer.json()["code"]) == (422, "price_needs_tenant")
    assert [f["name"] for f in answer.json()["fields"]] == list(query)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.LIAISON])
def test_who_handles_no_money_sees_and_searches_no_prices(role: Role, start: datetime) -> None:
    world.studio()
    visitor = client(make.user(role))

    plain = visitor.get(f"{API}/availability", window(start)).json()["items"]
    named = visitor.get(f"{API}/availability", window(start) | {"tenant": make.tenant().code})

    assert {(item["price_fen"], item["list_fen"]) for item in plain} == {(None, None)}
    assert named.status_code == 403


def test_the_next_times_fit_between_what_is_taken_and_cross_midnight(caller: Client) -> None:
    room, other = world.studio(), world.studio()
    evening = (clock.now() + timedelta(days=2)).astimezone(ZONE).replace(
        hour=22, minute=0, second=0, microsecond=0
    )  # fmt: skip
    block(room, evening - timedelta(days=1), 24 * 60 + 60)
    block(room, evening + timedelta(minutes=300), 600)
    block(other, evening - timedelta(days=1), 24 * 60)
    query: dict[str, Any] = {
        "from": (evening - timedelta(hours=1)).isoformat(),
        "minutes": 120,
        "count": 4,
    }

    answer = caller.get(f"{API}/availability/next", query).json()

    first, second = answer["items"]
    assert (first["space"], second["space"]) == (other.code, room.code)
    begins = [datetime.fromisoformat(s["starts_at"]) for s in second["starts"]]
    ends = [datetime.fromisoformat(s["ends_at"]) for s in second["starts"]]
    # Free from 23:00 to 03:00, less a quarter of an hour on both sides.
    assert begins[:3] == [evening + timedelta(minutes=m) for m in (90, 120, 150)]
    assert ends[0] == begins[0] + timedelta(hours=2)
    assert begins[3] > evening + timedelta(minutes=900)


def test_next_times_never_lie_in_the_past_and_sell_the_minimum(caller: Client) -> None:
    world.studio()
    query: dict[str, Any] = {
        "from": (clock.now() - timedelta(days=3)).isoformat(),
        "minutes": 20,
        "count": 1,
    }

    ((found,),) = (
        i["starts"] for i in caller.get(f"{API}/availability/next", query).json()["items"]
    )

    begin, end = (datetime.fromisoformat(found[k]) for k in ("starts_at", "ends_at"))
    assert begin > clock.now() - timedelta(minutes=1)
    assert end - begin == timedelta(minutes=60)


@pytest.mark.parametrize("path", ["/availability", "/availability/next", "/availability/month"])
def test_an_unknown_space_is_named(path: str, caller: Client, start: datetime) -> None:
    known = world.studio()
    query = window(start) | {"space": [known.code, "NO-SUCH"], "month": "2026-11"}

    answer = caller.get(API + path, query)

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_space")
    assert answer.json()["detail"] == "NO-SUCH"


def test_a_month_shows_how_free_the_spaces_are_and_nothing_of_anybody(caller: Client) -> None:
    room, seats = world.studio(), world.studio(unit_count=3)
    noon = datetime(2027, 2, 3, 12, 0, tzinfo=ZONE)
    booked = world.booked(
        now=noon - timedelta(days=1), space=room, start_min=24 * 60 + 6 * 60, minutes=180
    )  # 18:00 to 21:00, a quarter of an hour around
    block(seats, noon, 60, unit=2)
    block(seats, noon, 600, unit=3, active=False)

    answer = caller.get(f"{API}/availability/month", {"month": "2027-02"})

    month = answer.json()
    cells = {cell["part"]: cell for cell in month["days"][2]["cells"]}
    assert [day["date"] for day in month["days"]] == [
        date(2027, 2, n).isoformat() for n in range(1, 29)
    ]
    assert (month["spaces"], month["units"]) == (2, 4)
    assert cells["standard"]["taken_min"] == 75 + 60
    assert cells["prime"]["taken_min"] == 120 + 15
    assert cells["prime"]["open_min"] == 4 * 300
    assert cells["prime"]["free"] == round(1 - 135 / 1200, 4)
    assert cells["off_peak"]["free"] == 1
    text = answer.content.decode()
    assert booked.code not in text
    assert booked.tenant.code not in text


def test_a_month_by_hours_of_no_space_is_empty_and_not_divided_by_zero(caller: Client) -> None:
    answer = caller.get(
        f"{API}/availability/month", {"month": "2027-02", "by": "hour", "group": "none"}
    ).json()

    assert (answer["spaces"], len(answer["parts"])) == (0, 24)
    assert answer["days"][0]["cells"][23] == {
        "part": "23", "open_min": 0, "taken_min": 0, "free_min": 0, "free": None,
    }  # fmt: skip


@pytest.mark.parametrize("month", ["2026-13", "1999-01", "2026-1", "2026", "２０２６-01"])
def test_a_month_that_is_none_is_refused(month: str, caller: Client) -> None:
    answer = caller.get(f"{API}/availability/month", {"month": month})

    assert (answer.status_code, answer.json()["fields"][0]["name"]) == (422, "month")


@pytest.mark.parametrize(
    ("path", "most"), [("/availability", 7), ("/availability/next", 5), ("/availability/month", 5)]
)
def test_a_search_takes_as_many_queries_for_many_spaces_as_for_one(
    path: str, most: int, caller: Client, start: datetime, counted: Callable[[str], int]
) -> None:
    for _ in range(3):
        block(world.studio(), start, 60)

    assert counted(path) <= most


@pytest.fixture
def counted(caller: Client, start: datetime) -> Callable[[str], int]:
    def count(path: str) -> int:
        query = window(start) | {"month": "2026-11"}
        caller.get(API + path, query)  # reads the price book
        with CaptureQueriesContext(connection) as asked:
            assert caller.get(API + path, query).status_code == 200
        return len(asked)

    return count


def test_alternatives_compare_prices_for_the_tenant_and_for_nobody_else(
    caller: Client, staff: Client, start: datetime
) -> None:
    room = world.studio()
    team = make.space_type(code="studio_team", tariff_code="TF-TEAM", group=room.type.group)
    other = make.space(type=team)
    block(room, start, 60)
    query = window(start) | {"space": room.code, "headcount": 2}
    path = f"{API}/availability/alternatives"

    own = caller.get(path, query).json()["items"]
    anonymous = staff.get(path, query).json()["items"]
    unknown = caller.get(path, query | {"space": "NO-SUCH"})

    (rival,) = (item for item in own if item["kind"] == "space")
    assert (rival["space"], rival["same_type"]) == (other.code, False)
    assert rival["price_diff_fen"] > 0
    assert {item["price_diff_fen"] for item in anonymous} == {None}
    assert [item["kind"] for item in anonymous].count("time") == 3
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_space")
