"""Bookings as files that a spreadsheet may open: complete, priced for whom it concerns, inert."""

import csv
import io
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core import auth, clock
from base_ops.core.models import Role, User
from base_ops.core.tables import csv_file, writing
from booking import exporting, services
from booking.domain.rules import ZONE, ceil_to_grid
from booking.models import Booking
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    " =1",
    "#N/A",
    "=cmd|' /C x'!A0",
]


def export(user: User, kind: str = "csv", **query: str) -> Any:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    now = clock.now()
    window = {
        "from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=9)).isoformat()
    }  # fmt: skip
    caller = Client(headers={"Authorization": f"Bearer {token}"})
    return caller.get(f"/api/v1/bookings.{kind}", window | query)


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer)


def csv_rows(answer: Any) -> list[dict[str, str]]:
    text = body(answer)
    assert text.startswith(writing.BOM)
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def sheet_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


def booked(user: User, *, hours: float = 2, title: str = "", **changes: Any) -> Booking:
    assert user.tenant is not None
    start = ceil_to_grid(clock.now() + timedelta(hours=hours), 30)
    wish = services.BookingWish(
        space=world.studio(), tenant=user.tenant, span=world.span(start), headcount=2, title=title,
        **changes,
    )  # fmt: skip
    return services.book(wish=wish, actor=user.actor, hold=False, now=clock.now())


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


def local(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}"


def test_csv_says_what_was_booked_in_local_time_and_both_units_of_money(member: User) -> None:
    booking = booked(member, title="双11,预热")

    answer = export(member)
    (row,) = csv_rows(answer)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="bookings.csv"'
    assert (row["预订号"], row["状态"], row["标题"]) == (booking.code, "confirmed", "双11,预热")
    assert (row["开始"], row["结束"]) == (local(booking.starts_at), local(booking.ends_at))
    assert booking.price_fen > 0
    assert row["金额(分)"] == str(booking.price_fen)
    assert row["金额(元)"] == f"{booking.price_fen / 100:.2f}"


def test_xlsx_has_real_times_and_numbers(member: User) -> None:
    booking = booked(member, title="预热")

    sheet = sheet_of(body(export(member, "xlsx", lang="en")))
    header, row = (list(r) for r in sheet.iter_rows())
    cells = {h.value: c for h, c in zip(header, row, strict=True)}

    assert cells["Start"].value == booking.starts_at.astimezone(ZONE).replace(tzinfo=None)
    assert cells["Price (CNY)"].value == pytest.approx(booking.price_fen / 100)
    assert cells["Price (CNY)"].number_format == "0.00"
    assert cells["Price (fen)"].value == booking.price_fen
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_becomes_a_formula(member: User, title: str) -> None:
    booked(member)
    Booking.objects.update(title=title)

    (row,) = csv_rows(export(member))
    data = body(export(member, "xlsx"))
    header, cells = (list(r) for r in sheet_of(data).iter_rows())
    cell = next(c for h, c in zip(header, cells, strict=True) if h.value == "标题")

    assert row["标题"] == (f"'{title}" if title != "#N/A" else title)
    assert (cell.value, cell.data_type) == (title.replace("\r", "\n"), "s")  # as XML does
    assert cell.quotePrefix == (title != "#N/A")
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


@given(st.text(max_size=20))
def test_whatever_the_text_it_comes_back_from_csv_and_never_begins_a_formula(text: str) -> None:
    data = b"".join(writing.csv_chunks([["x", text]]))

    ((_, cell),) = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))

    assert not writing.risky(cell)
    assert csv_file._unguarded(cell) == writing.clean(text) or cell == writing.clean(text)


@given(st.text(max_size=20))
def test_whatever_the_text_it_comes_back_from_xlsx_as_text(text: str) -> None:
    out = io.BytesIO()
    writing.write_xlsx(out, [["title"], [f"x{text}"], [f"={text}"]], title="t")

    _, first, second = sheet_of(out.getvalue())["A"]

    for cell, wanted in ((first, f"x{text}"), (second, f"={text}")):
        assert cell.data_type == "s"
        # XML has one kind of line break
        kept = writing.clean(wanted).replace("\r\n", "\n").replace("\r", "\n")
        assert cell.value.replace("\r\n", "\n").replace("\r", "\n") == kept


def test_a_tenant_gets_its_own_bookings_only(member: User) -> None:
    mine, rival = booked(member), make.user(Role.TENANT_ADMIN)
    booked(rival)
    assert rival.tenant is not None

    rows = csv_rows(export(member))
    asked = csv_rows(export(member, tenant=rival.tenant.code))

    assert [row["预订号"] for row in rows] == [mine.code]
    assert asked == []


@pytest.mark.parametrize(
    ("role", "status", "priced"),
    [
        (Role.FINANCE, 200, True),
        (Role.ADMIN, 200, True),
        (Role.MANAGER, 200, False),
        (Role.TECHNICIAN, 200, False),
        (Role.LIAISON, 403, None),
    ],
)
def test_the_base_gets_all_and_money_only_for_whom_it_concerns(
    member: User, role: Role, status: int, priced: bool | None
) -> None:
    booked(member)
    booked(make.user(Role.TENANT_ADMIN))

    answer = export(make.user(role))

    assert answer.status_code == status
    if status == 200:
        rows = csv_rows(answer)
        assert len(rows) == 2
        assert ("金额(分)" in rows[0]) == priced


def test_filters_are_those_of_the_list(member: User) -> None:
    first, second = booked(member), booked(member, hours=6)
    services.cancel(booking=second, actor=member.actor, now=clock.now())
    staff = make.user(Role.FINANCE)

    def codes(**query: str) -> list[str]:
        return [row["Code"] for row in csv_rows(export(staff, lang="en", **query))]

    assert codes() == [first.code, second.code]
    assert codes(status="cancelled") == [second.code]
    assert codes(space=first.space.code) == [first.code]
    assert codes(tenant=first.tenant.code) == [first.code, second.code]
    assert codes(tenant="nobody") == []


def test_a_large_range_comes_in_pieces_and_a_larger_one_is_refused(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = booked(member)
    copies = [
        Booking(**{f.attname: getattr(booking, f.attname) for f in Booking._meta.concrete_fields}
                | {"id": None, "code": f"BKCOPY{n}"})
        for n in range(450)
    ]  # fmt: skip
    Booking.objects.bulk_create(copies)

    pieces = list(export(member).streaming_content)
    rows = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
    monkeypatch.setattr(exporting, "MAX_ROWS", 450)
    refused = export(member)

    assert len(pieces) > 3
    assert len(rows) == 452
    assert (refused.status_code, refused.json()["code"]) == (422, "export_too_large")


@pytest.mark.parametrize(
    ("kind", "query", "field"),
    [
        ("pdf", {}, "kind"),
        ("csv", {"lang": "fr"}, "lang"),
        ("csv", {"from": "2026-01-01T00:00:00Z", "to": "2027-12-31T00:00:00Z"}, "ends_at"),
        ("csv", {"from": "2027-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}, "ends_at"),
    ],
)
def test_what_is_no_export_is_refused_by_field(
    member: User, kind: str, query: dict[str, str], field: str
) -> None:
    answer = export(member, kind, **query)

    assert (answer.status_code, answer.json()["fields"][0]["name"]) == (422, field)


def test_money_is_exact_to_the_fen() -> None:
    (text,) = list(writing.csv_chunks([[Decimal(107_000_53) / 100, Decimal(5) / 100]]))[1:]

    assert text == b"107000.53,0.05\r\n"
