"""Bookings from a file over HTTP: what a dry run says is what the import does."""

import itertools
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from base_ops.core import auth, clock
from base_ops.core.models import AuditEntry, LiveTopic, Role, Space, Tenant, User
from booking.models import Allocation, Booking
from tests import make
from tests.booking import sheets, world

pytestmark = pytest.mark.usefixtures("prices")
API = "/api/v1/booking-imports"
ZONE = ZoneInfo("Asia/Shanghai")
_keys = itertools.count(1)


def client(user: User) -> Client:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def dry(user: User, data: bytes, kind: str = "csv", **query: str) -> Any:
    return _post(user, f"{API}/dry-run", data, {"format": kind} | query)


def send(
    user: User, data: bytes, kind: str = "csv", *, mode: str = "skip", key: str = "", **query: str
) -> Any:
    headers = {"Idempotency-Key": key or f"import-{next(_keys):06d}"}
    return _post(user, API, data, {"format": kind, "mode": mode} | query, headers)


def _post(user: User, path: str, data: bytes, query: dict[str, str], headers: Any = None) -> Any:
    return client(user).post(
        path, data, content_type="application/octet-stream", query_params=query, headers=headers
    )


def tomorrow(hour: int, *, days: int = 1) -> datetime:
    """A full hour in Guangzhou, some days from now."""
    day = clock.now().astimezone(ZONE) + timedelta(days=days)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def line(space: Space | str, hour: int, *, days: int = 1, people: int = 2, title: str = "") -> str:
    code = space if isinstance(space, str) else space.code
    start = tomorrow(hour, days=days)
    end = start + timedelta(hours=1)
    return f"{code},{start:%Y-%m-%d},{start:%H:%M},{end:%H:%M},{title},{people}"


def states(answer: Any) -> list[str]:
    return [row["state"] for row in answer.json()["rows"]]


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


@pytest.fixture
def space() -> Space:
    return world.studio()


def mixed(space: Space) -> bytes:
    """Rows of every fate: ok, in the way of row 2, too many people, unreadable, unknown, ok."""
    return sheets.csv(
        line(space, 10, title="首场"),
        line(space, 10, title="同时"),
        line(space, 14, people=99),
        line(space, 99 % 24).replace("03:00", "乱写"),
        line("NOWHERE", 10),
        line(space, 18),
    )


FATES = ["ok", "conflict", "rules_broken", "unreadable", "unreadable", "ok"]


def test_a_dry_run_tells_each_rows_fate_and_books_nothing(member: User, space: Space) -> None:
    answer = dry(member, mixed(space))

    body = answer.json()
    assert answer.status_code == 200, body
    assert states(answer) == FATES
    assert [row["row"] for row in body["rows"]] == [2, 3, 4, 5, 6, 7]
    assert body["counts"] == {
        "ok": 2, "conflict": 1, "rules_broken": 1, "refused": 0, "unreadable": 2
    }  # fmt: skip
    first, clash, crowd, unread, nowhere, _ = body["rows"]
    assert first["price_fen"] > 0
    assert body["total_fen"] == sum(r["price_fen"] for r in body["rows"] if r["price_fen"])
    assert [(c["row"], c["booking"]) for c in clash["conflicts"]] == [(2, None)]
    assert [b["rule"] for b in crowd["broken"]] == ["capacity"]
    assert [f["name"] for f in unread["faults"]] == ["starts_at"]
    assert [f["name"] for f in nowhere["faults"]] == ["space"]
    assert all(f["reason_zh"] and f["reason_en"] for r in body["rows"] for f in r["faults"])
    assert (body["dry_run"], body["booked"], first["booking"]) == (True, 0, None)
    assert not Booking.objects.exists()
    assert not Allocation.objects.exists()
    assert not AuditEntry.objects.filter(object_type="booking").exists()


def test_skip_books_what_the_dry_run_promised(member: User, space: Space) -> None:
    promised = dry(member, mixed(space)).json()

    answer = send(member, mixed(space), mode="skip")

    body = answer.json()
    assert answer.status_code == 201, body
    for before, after in zip(promised["rows"], body["rows"], strict=True):
        assert (before["state"], before["price_fen"]) == (after["state"], after["price_fen"])
    codes = [row["booking"] for row in body["rows"] if row["booking"]]
    assert body["booked"] == len(codes) == 2
    made = Booking.objects.filter(code__in=codes).order_by("starts_at")
    assert [b.starts_at for b in made] == [tomorrow(10), tomorrow(18)]
    assert {(b.status, b.source, b.tenant) for b in made} == {
        ("confirmed", "import", member.tenant)
    }
    assert Allocation.objects.filter(active=True).count() == 2
    entry = AuditEntry.objects.get(action="booking_import.commit")
    assert entry.after is not None
    assert (entry.after["rows"], entry.after["booked"]) == (6, 2)


def test_atomic_books_all_or_nothing_and_tells_every_row(member: User, space: Space) -> None:
    refused = send(member, mixed(space), mode="atomic")
    none = Booking.objects.count()
    taken = send(member, sheets.csv(line(space, 10), line(space, 12)), mode="atomic")

    assert (refused.status_code, refused.json()["code"]) == (409, "import_refused")
    assert refused["Content-Type"] == "application/problem+json"
    assert states(refused) == FATES
    assert {row["booking"] for row in refused.json()["rows"]} == {None}
    assert none == 0
    assert not AuditEntry.objects.filter(action="booking_import.commit", after__booked=0).exists()
    assert (taken.status_code, taken.json()["booked"]) == (201, 2)


def test_the_same_request_again_books_once(member: User, space: Space) -> None:
    data = sheets.csv(line(space, 10))
    other_tenant = make.tenant()

    one, two = (send(member, data, key="the-same-key") for _ in range(2))
    other = send(member, data, key="the-same-key", mode="atomic")

    assert one.json() == two.json()
    assert two["Idempotency-Replayed"] == "true"
    assert Booking.objects.count() == 1
    assert other.json()["code"] == "key_reused"  # what the address asks for counts too
    manager = make.user(Role.MANAGER)
    assert member.tenant is not None
    later, mine = sheets.csv(line(space, 14)), "a-key-of-mine"
    first = send(manager, later, key=mine, tenant=member.tenant.code)
    second = send(manager, later, key=mine, tenant=other_tenant.code)
    assert (first.status_code, second.json()["code"]) == (201, "key_reused")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ics"])
def test_every_kind_of_file_books_the_same(member: User, space: Space, kind: str) -> None:
    start = tomorrow(10)
    end = start + timedelta(hours=1)
    data = {
        "csv": sheets.csv(line(space, 10, title="预热", people=1)),
        "xlsx": sheets.xlsx([[space.code, start.date(), start.time(), end.time(), "预热", 1]]),
        "ics": sheets.ics(
            f"SUMMARY:预热\nLOCATION:{space.name_zh} ({space.code})\n"
            f"DTSTART;TZID=Asia/Shanghai:{start:%Y%m%dT%H%M%S}\nDURATION:PT1H"
        ),
    }[kind]

    answer = send(member, data, kind, mode="atomic")

    assert answer.status_code == 201, answer.json()
    booking = Booking.objects.get()
    assert (booking.space, booking.title, booking.headcount) == (space, "预热", 1)
    assert (booking.starts_at, booking.ends_at) == (start, end)


def test_a_series_in_a_calendar_becomes_bookings(member: User, space: Space) -> None:
    start = tomorrow(10)
    data = sheets.ics(
        f"LOCATION:{space.code}\nDTSTART;TZID=Asia/Shanghai:{start:%Y%m%dT%H%M%S}\n"
        "DURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"
    )

    answer = send(member, data, "ics", mode="atomic")

    assert answer.status_code == 201, answer.json()
    assert [row["row"] for row in answer.json()["rows"]] == [1, 1, 1]
    assert list(Booking.objects.order_by("starts_at").values_list("starts_at", flat=True)) == [
        start + timedelta(days=n) for n in range(3)
    ]


def test_spaces_go_by_code_or_by_a_name_that_is_theirs_alone(member: User, space: Space) -> None:
    twins = [world.studio(name_zh="双子厅") for _ in range(2)]
    data = sheets.csv(
        line(space.name_zh, 8), line(space.name_en, 10), line(space.code.lower(), 12),
        line(twins[0].name_zh, 14), line(twins[0].code, 16),
    )  # fmt: skip

    answer = dry(member, data)

    assert states(answer) == ["ok", "ok", "ok", "unreadable", "ok"]
    assert "several" in answer.json()["rows"][3]["faults"][0]["reason_en"]


def test_of_other_tenants_a_conflict_tells_only_busy(member: User, space: Space) -> None:
    rival = make.user(Role.TENANT_MEMBER)
    send(rival, sheets.csv(line(space, 10, title="秘密")))
    secret = Booking.objects.get()

    answer = dry(member, sheets.csv(line(space, 10)))

    (row,) = answer.json()["rows"]
    assert row["state"] == "conflict"
    assert [(c["kind"], c["booking"]) for c in row["conflicts"]] == [("busy", None)]
    assert secret.code not in str(answer.json())
    assert secret.tenant.code not in str(answer.json())


def test_a_row_that_billing_refuses_says_so_by_code(member: User, space: Space) -> None:
    Tenant.objects.update(compliance_rating="D")

    (row,) = dry(member, sheets.csv(line(space, 10))).json()["rows"]

    assert row["state"] in ("rules_broken", "refused")
    assert row["faults"][0]["reason_zh"]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.MANAGER, 200), (Role.ADMIN, 200), (Role.TECHNICIAN, 403), (Role.FINANCE, 403),
        (Role.LIAISON, 403),
    ],
)  # fmt: skip
def test_managers_import_for_a_tenant_that_they_name(
    member: User, space: Space, role: Role, status: int
) -> None:
    assert member.tenant is not None
    user, data = make.user(role), sheets.csv(line(space, 10))

    named = dry(user, data, tenant=member.tenant.code)
    unnamed = dry(user, data)

    assert named.status_code == status
    assert unnamed.status_code == (422 if status == 200 else 403)


def test_nobody_imports_for_another_tenant(member: User, space: Space) -> None:
    other = make.tenant()

    assert dry(member, sheets.csv(line(space, 10)), tenant=other.code).status_code == 403


def test_money_is_for_whom_it_concerns(member: User, space: Space) -> None:
    assert member.tenant is not None
    data, manager = sheets.csv(line(space, 10)), make.user(Role.MANAGER)

    before = dry(manager, data, tenant=member.tenant.code).json()
    after = send(manager, data, tenant=member.tenant.code).json()

    assert before["total_fen"] == before["rows"][0]["price_fen"] > 0
    assert (after["total_fen"], after["rows"][0]["price_fen"]) == (None, None)


@pytest.mark.parametrize(
    ("kind", "data", "status", "code"),
    [
        ("csv", b"", 422, "file_refused"),
        ("csv", b"a,b\n1,2\n", 422, "file_refused"),
        ("xlsx", b"PK\x03\x04 not really", 422, "file_refused"),
        ("ics", b"BEGIN:VCALENDAR\r\n", 422, "file_refused"),
        ("csv", b"a" * (2 * 1024 * 1024 + 1), 413, "file_too_large"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    member: User, kind: str, data: bytes, status: int, code: str
) -> None:
    for answer in (dry(member, data, kind), send(member, data, kind)):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["fields"][0]["name"] == "file"


@pytest.mark.parametrize(
    ("query", "field"),
    [({"format": "pdf", "mode": "skip"}, "format"), ({"format": "csv", "mode": "all"}, "mode")],
)
def test_an_unknown_kind_or_mode_is_refused_by_field(
    member: User, query: dict[str, str], field: str
) -> None:
    headers = {"Idempotency-Key": f"import-{next(_keys):06d}"}

    answer = _post(member, API, b"x", query, headers)

    assert (answer.status_code, answer.json()["fields"][0]["name"]) == (422, field)


def test_many_rows_are_shown_live_once(member: User) -> None:
    spaces = [world.studio() for _ in range(3)]
    soon = clock.now().astimezone(ZONE) + timedelta(hours=2)
    start = soon.replace(minute=0, second=0, microsecond=0)
    lines = [
        f"{s.code},,{start + timedelta(hours=h):%Y-%m-%d %H:%M},"
        f"{start + timedelta(hours=h + 1):%Y-%m-%d %H:%M},,1"
        for s in spaces
        for h in (0, 2)
    ]

    with CaptureQueriesContext(connection) as seen:
        answer = send(member, sheets.csv(*lines), mode="atomic")

    def asked(what: str) -> list[int]:
        return [n for n, q in enumerate(seen.captured_queries) if what in q["sql"]]

    assert answer.status_code == 201, answer.json()
    assert len(asked('INSERT INTO "booking_booking"')) == 6
    assert min(asked("core_livetopic")) > max(asked('INSERT INTO "booking_booking"'))


def test_a_dry_run_shows_nothing_live(member: User, space: Space) -> None:
    before = dict(LiveTopic.objects.values_list("name", "seq"))
    soon = clock.now().astimezone(ZONE) + timedelta(hours=2)
    start = soon.replace(minute=0, second=0, microsecond=0)
    end = start + timedelta(hours=1)

    answer = dry(member, sheets.csv(f"{space.code},,{start:%Y-%m-%d %H:%M},{end:%H:%M},,1"))

    assert states(answer) == ["ok"]
    assert dict(LiveTopic.objects.values_list("name", "seq")) == before
