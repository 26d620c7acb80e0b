"""Chinese working days: as announced, and never pretending to know what is not announced yet."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core import clock, work_years
from base_ops.core.models import AuditEntry, Role, WorkYear
from base_ops.core.workdays import BadYear, Break, Calendar, DayKind, MakeUpDay, Year
from tests import make

VECTOR = json.loads(
    (Path(__file__).parents[1] / "vectors/booking/china_workdays.json").read_text("utf-8")
)
API = "/api/v1/workdays"


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("year", sorted(VECTOR["years"]))
def test_every_day_of_the_shipped_years_is_as_announced(year: str) -> None:
    told = VECTOR["years"][year]
    off = {date.fromisoformat(d) for d in told["weekdays_off"]}
    made_up = {date.fromisoformat(d) for d in told["weekend_days_worked"]}
    calendar = Calendar(work_years.shipped())

    found = [calendar.day(d) for d in days_of(int(year))]

    assert {d.day for d in found if d.day.weekday() < 5 and not d.worked} == off
    assert {d.day for d in found if d.kind is DayKind.MAKE_UP} == made_up
    assert {d.day for d in found if d.day.weekday() >= 5 and d.worked} == made_up
    assert all(d.announced for d in found)
    assert all(d.zh and d.en for d in found if d.kind in (DayKind.HOLIDAY, DayKind.MAKE_UP))


def test_not_announced_is_not_no_holiday() -> None:
    calendar = Calendar(work_years.shipped())

    unknown, plain = calendar.day(date(2027, 10, 1)), calendar.day(date(2026, 10, 12))

    assert (unknown.announced, unknown.holiday, unknown.worked) == (False, None, True)
    assert (plain.announced, plain.holiday, plain.worked) == (True, False, True)
    assert calendar.day(date(2027, 10, 2)).worked is False


def test_a_weekend_inside_a_break_is_a_holiday_and_one_outside_is_not() -> None:
    calendar = Calendar(work_years.shipped())

    assert calendar.day(date(2026, 10, 3)).kind is DayKind.HOLIDAY
    assert calendar.day(date(2026, 10, 3)).en == "National Day"
    assert calendar.day(date(2026, 10, 17)).kind is DayKind.WEEKEND


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_without_an_announcement_the_weekday_decides(day: date) -> None:
    known = Calendar().day(day)

    assert known.worked == (day.isoweekday() <= 5)
    assert known.holiday is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"announced": False, "breaks": (Break(date(2027, 1, 1), date(2027, 1, 1), "元旦"),)},
         "announced"),
        ({"breaks": (Break(date(2026, 12, 31), date(2027, 1, 1), "元旦"),)}, "breaks.0"),
        ({"breaks": (Break(date(2027, 1, 3), date(2027, 1, 1), "元旦"),)}, "breaks.0"),
        ({"breaks": (Break(date(2027, 1, 1), date(2027, 3, 1), "元旦"),)}, "breaks.0"),
        ({"breaks": (Break(date(2027, 1, 1), date(2027, 1, 3), "元旦"),
                     Break(date(2027, 1, 3), date(2027, 1, 4), "元旦"))}, "breaks.1"),
        ({"make_up_days": (MakeUpDay(date(2027, 1, 4), "元旦"),)}, "make_up_days.0"),
        ({"make_up_days": (MakeUpDay(date(2028, 1, 2), "元旦"),)}, "make_up_days.0"),
        ({"make_up_days": (MakeUpDay(date(2027, 1, 9), "元旦"),) * 2}, "make_up_days.1"),
        ({"breaks": (Break(date(2027, 1, 1), date(2027, 1, 3), "元旦"),),
          "make_up_days": (MakeUpDay(date(2027, 1, 2), "元旦"),)}, "make_up_days.0"),
    ],
)  # fmt: skip
def test_a_year_that_contradicts_itself_is_refused_by_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadYear) as caught:
        Year(**{"year": 2027, "announced": True} | changes)

    assert [f.name for f in caught.value.fields] == [field]


# --- over HTTP --------------------------------------------------------------------------------

ANNOUNCED = {
    "announced": True,
    "breaks": [{"first": "2027-01-01", "last": "2027-01-03", "zh": "元旦", "en": "New Year"}],
    "make_up_days": [{"day": "2027-01-09", "zh": "元旦"}],
    "source": "测试",
}


@pytest.fixture
def manager(db: None) -> Client:
    client = Client()
    client.force_login(make.user(Role.MANAGER))
    return csrf(client)


def csrf(client: Client) -> Client:
    client.defaults["HTTP_X_CSRFTOKEN"] = client.get("/api/v1/session").json()["csrf"]
    return client


def put(caller: Client, body: Any, *, match: str | None = '"0"', year: int = 2027) -> Any:
    headers = {} if match is None else {"If-Match": match}
    return caller.put(f"{API}/{year}", body, content_type="application/json", headers=headers)


def test_a_year_is_entered_once_announced_and_every_day_follows(manager: Client) -> None:
    before = manager.get(API, {"year": 2027})

    after = put(manager, ANNOUNCED, match=before["ETag"])
    days = manager.get(f"{API}/days", {"from": "2026-12-31", "to": "2027-01-09"}).json()

    assert (before.json()["announced"], before["ETag"]) == (False, '"0"')
    assert manager.get(f"{API}/2027").json() == after.json()
    assert (after.status_code, after["ETag"], after.json()["version"]) == (200, '"1"', 1)
    assert [d["kind"] for d in days] == (
        ["workday"] + ["holiday"] * 3 + ["workday"] * 5 + ["make_up"]
    )
    assert all(d["announced"] for d in days)
    assert work_years.day(date(2027, 1, 9)).kind is DayKind.MAKE_UP


def test_what_the_base_entered_goes_before_what_was_shipped(manager: Client) -> None:
    taken_back = put(manager, {"announced": False}, year=2026)

    day = work_years.day(date(2026, 10, 1))

    assert taken_back.status_code == 200
    assert (day.announced, day.holiday) == (False, None)


def test_an_edit_needs_the_version_it_saw_and_is_on_record(manager: Client) -> None:
    answers = [put(manager, ANNOUNCED, match=m) for m in (None, '"7"', '"0"', '"0"', '"1"')]

    assert [a.status_code for a in answers] == [428, 412, 200, 412, 200]
    entries = AuditEntry.objects.filter(action="workdays.put", object_code="2027")
    assert entries.count() == 2
    first = entries.order_by("pk")[0]
    assert first.before is not None
    assert first.after is not None
    assert (first.before["announced"], first.after["announced"]) == (False, True)


def test_a_refused_year_names_the_fault_and_changes_nothing(manager: Client) -> None:
    wrong = ANNOUNCED | {"make_up_days": [{"day": "2027-01-04", "zh": "元旦"}]}

    answer = put(manager, wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_work_year")
    assert answer.json()["fields"][0]["name"] == "make_up_days.0"
    assert not WorkYear.objects.exists()


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.FINANCE, Role.TECHNICIAN, Role.LIAISON])
@pytest.mark.django_db
def test_everybody_reads_and_only_managers_enter(role: Role) -> None:
    client = Client()
    client.force_login(make.user(role))
    caller = csrf(client)

    assert caller.get(API, {"year": 2026}).json()["announced"] is True
    assert put(caller, ANNOUNCED).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "2026-01-01", "to": "2027-12-31"},
        {"from": "1999-12-31", "to": "2000-01-01"},
        {"from": "2100-12-31", "to": "2101-01-01"},
    ],
)
def test_a_range_that_is_no_range_is_refused(manager: Client, query: dict[str, str]) -> None:
    answer = manager.get(f"{API}/days", query)

    assert (answer.status_code, answer.json()["fields"][0]["name"]) == (422, "to")


@pytest.mark.django_db
def test_the_database_too_refuses_holidays_of_a_year_not_announced() -> None:
    with (
        pytest.raises(IntegrityError, match="workyear_unannounced_is_empty"),
        transaction.atomic(),
    ):
        WorkYear.objects.create(
            year=2027, announced=False, breaks=[{"first": "2027-01-01"}], changed_at=clock.now()
        )
