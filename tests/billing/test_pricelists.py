"""Price lists in force: use on a day is priced by its list, what was quoted stays as it was."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from base_ops.core import work_years
from base_ops.core.models import AuditEntry
from base_ops.core.spans import Span
from base_ops.core.workdays import Break, Year
from billing import importers, selectors, services
from billing.domain.facts import BookingFacts
from billing.domain.rating import ServiceWish
from billing.domain.reading import BookFaults, read_prices
from billing.models import PriceBookVersion, PriceList
from billing.services import pricelists
from tests import make
from tests.billing import lists
from tests.billing.data import demo, span
from tests.billing.world import room

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
LATER = ("09-20 10:00", 4)  # a Sunday, worked: it makes up for the National Day break


def quoted(when: Span, now: datetime, **more: Any) -> Any:
    return services.quote(tenant=make.tenant(), space=room(), span=when, now=now, **more)


def test_a_booking_is_priced_by_the_list_of_its_day_and_settled_by_that_of_its_quote(
    now: datetime,
) -> None:
    day = span(*LATER)
    before = quoted(day, now)

    row = lists.in_force(lists.dearer(), now=now, days_ahead=5)

    assert quoted(day, now).list_fen == 30_000
    assert quoted(day, now).tariff_version == row.fingerprint
    assert quoted(span("09-19 10:00", 4), now).list_fen == before.list_fen == 22_000
    many = services.quote_many(tenant=make.tenant(), spaces=[room()], span=day, now=now)
    assert [quote.list_fen for quote in many.values()] == [30_000]
    late = Span(day.end, day.end + timedelta(minutes=15))
    fees = [_overtime(quote, late, now) for quote in (before, quoted(day, now))]
    assert fees == [2250, 3750]  # 15 minutes at 60 and at 100 an hour, times 1.5


def _overtime(quote: Any, late: Span, now: datetime) -> int:
    """What running over costs a booking with that quote."""
    space, tenant = room(), make.tenant()
    facts = BookingFacts(
        f"BK-{space.code}", tenant.pk, space.pk, span(*LATER), "completed", quote.as_json(),
        overtime=late,
    )  # fmt: skip
    charges = services.charge_booking(facts=facts, now=now)
    return sum(charge.gross_fen for charge in charges if charge.kind == "overtime")


def test_a_withdrawn_list_still_settles_what_was_quoted_by_it(now: datetime) -> None:
    row = lists.in_force(lists.dearer(), now=now, days_ahead=5)
    quote = quoted(span(*LATER), now)

    pricelists.withdraw(number=row.number, check=lambda version: None, actor=lists.ACTOR, now=now)

    assert quoted(span(*LATER), now).list_fen == 22_000
    late = Span(span(*LATER).end, span(*LATER).end + timedelta(minutes=15))
    assert _overtime(quote, late, now) == 3750


def test_terms_are_those_of_the_list_that_the_quote_names(now: datetime) -> None:
    document = lists.document()
    document["pricing_rules"]["cancellation"] = [{"hours_before_ge": 0, "fee_pct": "50"}]
    document["pricing_rules"]["no_show"] = {"fee_pct": "60"}
    lists.in_force(document, now=now, days_ahead=5)
    quotes = [quoted(when, now).as_json() for when in (span("09-19 10:00", 4), span(*LATER))]

    fees = [selectors.cancellation_fee_fen(q, span(*LATER).start, now) for q in quotes]

    assert fees == [0, 11_000]
    assert [selectors.terms_of_quote(q).no_show_pct for q in quotes] == [100, 60]
    space, tenant = room(), make.tenant()
    missed = BookingFacts("BK-NO", tenant.pk, space.pk, span(*LATER), "no_show", quotes[1])
    [fee] = services.charge_booking(facts=missed, now=now)
    assert (fee.gross_fen, fee.net_fen + fee.vat_fen) == (13_200, 13_200)
    assert fee.description_zh.startswith("爽约收费60%")


def test_working_days_weekends_and_holidays_have_prices_of_their_own(now: datetime) -> None:
    document = lists.document()
    standard = {"kinds": ["weekend"], "bands": ["standard"]}
    document["day_prices"] = [
        {"code": "WE", "name_zh": "周末", "name_en": "weekend", "factor": "1.20", **standard}
    ]
    lists.tariff(document)["by_day"] = {
        "holiday": {"hourly": {"off_peak": "50.00", "standard": "80.00", "prime": "120.00"}}
    }
    lists.in_force(document, now=now)

    def priced(when: str) -> tuple[int, str, Decimal]:
        [line] = [e for e in quoted(span(when, 4), now).lines if e.kind == "room"]
        return line.gross_fen, line.description_zh.rpartition(" ")[2], line.surge

    assert priced("09-18 10:00") == (22_000, "平时", Decimal(1))  # Friday
    assert priced("09-19 10:00") == (26_400, "周末×1.20", Decimal("1.20"))  # Saturday
    assert priced("09-20 10:00") == (22_000, "平时", Decimal(1))  # Sunday, made up for a break
    assert priced("10-01 10:00") == (32_000, "节假日", Decimal(1))  # no price for four hours
    assert priced("09-19 19:00") == (33_000, "黄金", Decimal(1))  # another band


def test_on_a_surge_day_the_higher_of_both_counts(now: datetime) -> None:
    document = lists.document()
    document["day_prices"] = [
        {"code": "WE", "name_zh": "周末", "name_en": "weekend", "factor": "1.50",
         "kinds": ["weekend"], "bands": ["prime"]},
        {"code": "WD", "name_zh": "工作日", "name_en": "working day", "factor": "0.90",
         "kinds": ["workday"], "bands": ["prime"]},
    ]  # fmt: skip
    lists.in_force(document, now=now)

    def factor(when: str) -> list[Decimal]:
        return [e.surge for e in quoted(span(when, 1), now).lines if e.kind == "room"]

    assert factor("10-24 20:00") == [Decimal("1.50")]  # a Saturday of Double 11 at 1.30
    assert factor("10-26 20:00") == [Decimal("1.30")]  # a Monday of it
    assert factor("09-21 20:00") == [Decimal("0.90")]


def test_a_break_that_is_announced_later_changes_prices_at_once(now: datetime) -> None:
    document = lists.document()
    bands = ["off_peak", "standard", "prime"]
    document["day_prices"] = [
        {"code": "H", "name_zh": "节假日", "name_en": "holiday", "factor": "2.00",
         "kinds": ["holiday"], "bands": bands}
    ]  # fmt: skip
    lists.in_force(document, now=now)
    start = span("09-20 10:00", 1).start + timedelta(days=365)
    when = Span(start, start + timedelta(hours=1))
    presumed = quoted(when, now).list_fen

    work_years.put(
        year=Year(2027, True, (Break(date(2027, 9, 20), date(2027, 9, 20), "节"),)),
        actor=lists.ACTOR,
        now=now,
    )

    assert quoted(when, now).list_fen == 2 * presumed == 12_000


def test_a_service_may_have_a_price_model(now: datetime) -> None:
    document = lists.document()
    service = next(s for s in document["services"] if s["code"] == "SV-CAM")
    tiers = [{"up_to": "2", "unit": "50"}, {"up_to": None, "unit": "30"}]
    service["price_model"] = {"kind": "graduated", "tiers": tiers, "minimum": "80"}
    lists.in_force(document, now=now)

    def camera(hours: str) -> int:
        wish = [ServiceWish("SV-CAM", Decimal(hours))]
        quote = quoted(span(*LATER), now, services=wish)
        return sum(e.gross_fen for e in quote.lines if e.kind == "service")

    assert [camera("1"), camera("2"), camera("4.5")] == [8_000, 10_000, 17_500]


def test_vat_changes_with_the_day(now: datetime) -> None:
    document = lists.document()
    document["vat_rates"].append(
        {"category": "modern_service_6", "valid_from": "2026-09-19", "rate": "0.05"}
    )
    lists.in_force(document, now=now)

    found = [
        {line.vat_rate for line in quoted(span(when, 4), now).lines}
        for when in ("09-18 10:00", "09-19 10:00")
    ]

    assert found == [{Decimal("0.06")}, {Decimal("0.05")}]


def test_loading_the_data_file_again_leaves_lists_in_force(now: datetime) -> None:
    row = lists.in_force(lists.dearer(), now=now, days_ahead=5)
    surges = demo()["surge_calendar"][1:]

    importers.load({**demo(), "tenants": [], "training_programmes": [], "surge_calendar": surges})

    assert quoted(span(*LATER), now).tariff_version == row.fingerprint
    with pytest.raises(importers.DataRefused, match="only price lists have"):
        importers.load(demo() | {"day_prices": [lists_day_price()]})


def lists_day_price() -> dict[str, Any]:
    return {"code": "H", "name_zh": "节", "kinds": ["holiday"], "factor": "2", "bands": ["prime"]}


def test_what_was_in_force_cannot_be_changed_or_deleted(now: datetime) -> None:
    row = lists.in_force(lists.dearer(), now=now)

    for change in (
        lambda: PriceList.objects.filter(pk=row.pk).update(document={}),
        lambda: PriceList.objects.filter(pk=row.pk).update(valid_from=date(2030, 1, 1)),
        lambda: PriceList.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="was in force"), transaction.atomic():
            change()


def test_who_did_what_is_on_record_and_every_process_is_told(now: datetime) -> None:
    serial = PriceBookVersion.objects.get().serial
    row = lists.in_force(lists.dearer(), now=now)

    found = AuditEntry.objects.filter(object_type="price_list", object_code=str(row.number))

    assert set(found.values_list("action", flat=True)) == {
        "price_list.draft", "price_list.activate",
    }  # fmt: skip
    assert PriceBookVersion.objects.get().serial > serial


def test_a_document_with_a_hole_is_not_read(now: datetime) -> None:
    document = lists.document()
    del document["time_bands"][1]

    with pytest.raises(BookFaults, match="hole"):
        read_prices(document)
