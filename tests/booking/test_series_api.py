"""The series endpoints through HTTP: who may see and do what, and how it is answered."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Space, User
from booking.domain.rules import ceil_to_grid
from booking.models import Booking, RefusalCount, Series
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
API = "/api/v1"
WEEK = timedelta(weeks=1)
_keys = itertools.count(1)


def client(user: User) -> Client:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def post(caller: Client, path: str, body: Any = None, **headers: str) -> Any:
    sent = {"Idempotency-Key": f"series-{next(_keys):08d}"} | headers
    return caller.post(API + path, body or {}, content_type="application/json", headers=sent)


def patch(caller: Client, path: str, body: Any, **headers: str) -> Any:
    return caller.patch(API + path, body, content_type="application/json", headers=headers)


def first() -> datetime:
    return ceil_to_grid(clock.now() + timedelta(days=3), 30)


def wish(space: Space, start: datetime, **changes: Any) -> dict[str, Any]:
    times = {"starts_at": iso(start), "ends_at": iso(start + timedelta(hours=1))}
    return {"space": space.code, "rrule": "FREQ=WEEKLY;COUNT=4", "headcount": 2} | times | changes


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


@pytest.fixture
def space() -> Space:
    return world.studio()


def test_look_then_book_at_the_total_that_was_seen(member: User, space: Space) -> None:
    caller, start = client(member), first()

    seen = post(caller, "/series/dry-run", wish(space, start)).json()
    made = post(caller, "/series", wish(space, start) | {"expected_fen": seen["total_fen"]})
    read = caller.get(f"{API}/series/{made.json()['code']}")

    assert (seen["ok"], seen["conflicts"], len(seen["instances"])) == (4, 0, 4)
    assert made.status_code == 201
    assert made.json()["total_fen"] == seen["total_fen"] > 0
    assert [i["id"] for i in made.json()["instances"]] == [
        stamp(start + n * WEEK) for n in range(4)
    ]
    assert read.json()["instances"] == made.json()["instances"]
    assert read["ETag"] == '"1"'
    assert [s["code"] for s in caller.get(f"{API}/series").json()["items"]] == [
        made.json()["code"]
    ]


def test_the_same_key_books_once(member: User, space: Space) -> None:
    caller, asked = client(member), wish(space, first())

    one, two = (
        post(caller, "/series", asked, **{"Idempotency-Key": "the-same-series"}) for _ in "12"
    )

    assert one.json() == two.json()
    assert two["Idempotency-Replayed"] == "true"
    assert (Series.objects.count(), Booking.objects.count()) == (1, 4)


def test_taken_dates_are_a_problem_without_names_and_choices_solve_it(
    member: User, space: Space
) -> None:
    start, other = first(), world.studio()
    rival = client(make.user(Role.TENANT_MEMBER))
    once = wish(space, start + WEEK, rrule="FREQ=DAILY;COUNT=1", title="机密标题")
    secret = post(rival, "/series", once).json()
    caller = client(member)

    refused = post(caller, "/series", wish(space, start, mode="propose"))
    body = refused.json()
    offer = next(a for a in body["instances"][0]["alternatives"] if a["kind"] == "space")
    choices = [{"recurrence_id": iso(start + WEEK), "space": offer["space"]}]
    made = post(caller, "/series", wish(space, start, mode="propose", choices=choices))

    assert (refused.status_code, body["code"]) == (409, "series_conflicts")
    assert refused["Content-Type"] == "application/problem+json"
    assert [i["verdict"] for i in body["instances"]] == ["conflict"]
    assert body["instances"][0]["conflicts"][0]["kind"] == "busy"
    assert secret["code"] not in refused.content.decode()
    assert secret["instances"][0]["booking"] not in refused.content.decode()
    assert "机密标题" not in refused.content.decode()
    assert made.status_code == 201
    assert offer["space"] == other.code == made.json()["instances"][1]["space"]


def test_a_contested_rule_is_refused_by_part_in_both_languages(member: User, space: Space) -> None:
    asked = wish(space, first(), rrule="FREQ=YEARLY;BYMONTHDAY=3;COUNT=3")

    answer = post(client(member), "/series/dry-run", asked)

    assert (answer.status_code, answer.json()["code"]) == (422, "rrule_contested")
    assert answer.json()["parts"] == ["BYMONTHDAY"]
    assert answer.json()["fields"][0]["name"] == "rrule"
    assert "日历软件" in answer.json()["fields"][0]["reason_zh"]
    assert "disagree" in answer.json()["fields"][0]["reason_en"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rrule": "FREQ=DAILY"}, "rrule_endless"),
        ({"rrule": "FREQ=HOURLY;COUNT=2"}, "rrule_invalid"),
        ({"rrule": ""}, "rrule_empty"),
        ({"rrule": "FREQ=DAILY;COUNT=500"}, "series_too_long"),
        ({"headcount": 9}, "series_rules_broken"),
        ({"space": "NOWHERE"}, "unknown_space"),
        ({"extras": [{"pool": "NOTHING"}]}, "unknown_resource"),
        ({"extras": [{}]}, "rules_broken"),
        ({"rdates": ["2031-01-01T00:00:00Z", "2090-01-01T00:00:00Z"]}, "series_dates_invalid"),
        ({"choices": [{"recurrence_id": "2030-01-01T00:00:00Z"}]}, "series_dates_invalid"),
        (
            {"choices": [{"recurrence_id": "2030-01-01T00:00:00Z",
                          "starts_at": "2030-01-01T00:00:00Z"}]},
            "bad_span",
        ),
        ({"expected_fen": 1}, "quote_changed"),
    ],
)  # fmt: skip
def test_refusals_have_a_code_and_both_titles(
    member: User, space: Space, changes: dict[str, Any], code: str
) -> None:
    answer = post(client(member), "/series", wish(space, first()) | changes)

    assert answer.status_code == (409 if code == "quote_changed" else 422)
    assert answer.json()["code"] == code
    assert answer.json()["title_zh"] != answer.json()["title_en"]


def test_a_refusal_by_rules_names_them_and_is_counted(member: User, space: Space) -> None:
    answer = post(client(member), "/series", wish(space, first(), headcount=9))

    assert [b["rule"] for b in answer.json()["broken"]] == ["capacity"]
    assert [f["name"] for f in answer.json()["fields"]] == ["headcount"]
    assert [i["verdict"] for i in answer.json()["instances"]] == ["rules_broken"] * 4
    assert RefusalCount.objects.filter(rule="capacity").exists()


def test_a_booking_names_its_series(member: User, space: Space) -> None:
    caller = client(member)
    made = post(caller, "/series", wish(space, first())).json()
    alone = post(caller, "/bookings", {
        "space": space.code, "starts_at": iso(first() + timedelta(days=2)),
        "ends_at": iso(first() + timedelta(days=2, hours=1)),
    }).json()  # fmt: skip

    rows = caller.get(f"{API}/bookings").json()["items"]

    assert alone["series"] is None
    assert sorted(str(row["series"]) for row in rows) == ["None", *[made["code"]] * 4]


def test_editing_needs_the_version_that_was_read(member: User, space: Space) -> None:
    caller, start = client(member), first()
    code = post(caller, "/series", wish(space, start)).json()["code"]
    path = f"/series/{code}/instances/{stamp(start + WEEK)}"
    change = {"scope": "this", "title": "新标题"}

    statuses = [
        patch(caller, path, change, **headers).status_code
        for headers in ({}, {"If-Match": '"1"'}, {"If-Match": '"1"'})
    ]

    assert statuses == [428, 200, 412]
    assert Booking.objects.filter(title="新标题").count() == 1


def test_following_answers_with_the_series_that_goes_on(member: User, space: Space) -> None:
    caller, start = client(member), first()
    code = post(caller, "/series", wish(space, start)).json()["code"]
    pivot = start + 2 * WEEK
    change = {
        "scope": "following",
        "starts_at": iso(pivot + timedelta(hours=3)),
        "ends_at": iso(pivot + timedelta(hours=4)),
    }

    answer = patch(
        caller, f"/series/{code}/instances/{stamp(pivot)}", change, **{"If-Match": '"1"'}
    )
    head = caller.get(f"{API}/series/{code}").json()

    tail = answer.json()
    assert answer.status_code == 200
    assert tail["split_from"] == code != tail["code"]
    assert [i["id"] for i in tail["instances"]] == [
        stamp(pivot + n * WEEK + timedelta(hours=3)) for n in range(2)
    ]
    assert [i["id"] for i in head["instances"]] == [stamp(start), stamp(start + WEEK)]


def test_a_date_is_given_back_listed_and_added_again(member: User, space: Space) -> None:
    caller, start = client(member), first()
    code = post(caller, "/series", wish(space, start)).json()["code"]
    path = f"/series/{code}/instances/{stamp(start + WEEK)}"

    gone = post(caller, f"{path}/cancel", {"scope": "this", "reason": "主播请假"}).json()
    back = post(caller, f"{path}/add-again").json()
    again = post(caller, f"{path}/add-again")
    ended = post(caller, f"/series/{code}/cancel", {"reason": "停播"}).json()

    assert [(s["id"], s["reason"]) for s in gone["skipped"]] == [
        (stamp(start + WEEK), "cancelled")
    ]
    assert len(gone["instances"]) == 3
    assert (len(back["instances"]), back["skipped"]) == (4, [])
    assert (again.status_code, again.json()["code"]) == (409, "instance_not_skipped")
    assert ended["instances"] == []
    assert ended["cancelled_at"]


def test_others_series_do_not_exist(member: User, space: Space) -> None:
    start = first()
    owner = client(make.user(Role.TENANT_ADMIN))
    code = post(owner, "/series", wish(space, start)).json()["code"]
    stranger = client(member)
    path = f"/series/{code}/instances/{stamp(start)}"

    answers = [
        stranger.get(f"{API}/series/{code}"),
        patch(stranger, path, {"scope": "all", "title": "x"}, **{"If-Match": '"1"'}),
        post(stranger, f"{path}/cancel", {"scope": "all"}),
        post(stranger, f"{path}/add-again"),
        post(stranger, f"/series/{code}/cancel", {"reason": "x"}),
    ]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "series_not_found")}
    assert stranger.get(f"{API}/series").json()["items"] == []


@pytest.mark.parametrize("instance", ["20301345T000000Z", "20300101T000000Z"])
def test_an_instance_that_is_not_is_not_found(member: User, space: Space, instance: str) -> None:
    caller = client(member)
    code = post(caller, "/series", wish(space, first())).json()["code"]

    answer = post(caller, f"/series/{code}/instances/{instance}/cancel", {"scope": "this"})

    assert (answer.status_code, answer.json()["code"]) == (404, "instance_not_found")


@pytest.mark.parametrize(
    ("role", "may", "priced"),
    [
        (Role.MANAGER, True, False),
        (Role.ADMIN, True, True),
        (Role.FINANCE, False, True),
        (Role.TECHNICIAN, False, False),
        (Role.LIAISON, False, None),
    ],
)
def test_staff_book_for_a_tenant_and_money_is_for_whom_it_concerns(
    member: User, space: Space, role: Role, may: bool, priced: bool | None
) -> None:
    assert member.tenant is not None
    start, staff = first(), client(make.user(role))
    code = post(client(member), "/series", wish(space, start)).json()["code"]
    asked = wish(space, start + timedelta(days=1), tenant=member.tenant.code)

    made = post(staff, "/series", asked)
    seen = staff.get(f"{API}/series/{code}")

    assert made.status_code == (201 if may else 403)
    if priced is None:
        assert seen.status_code == 403
    else:
        prices = {seen.json()["total_fen"], *(i["price_fen"] for i in seen.json()["instances"])}
        assert (prices != {None}) == priced
