"""Rating: worked examples, then properties."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span
from billing.domain import aftermath, leases, policies, rating
from billing.domain.catalog import NotPriced
from billing.domain.facts import BookingFacts, LeaseFacts
from billing.domain.quote import Quote, line_from_json
from billing.domain.rating import RoomWish, ServiceWish
from billing.domain.reading import BookFaults, read_book
from billing.domain.situation import Situation
from billing.domain.texts import Bi, local_day
from tests.billing.data import at, book, demo, situation, span

PLAIN = Situation(on=date(2026, 11, 16), rating="B", category="brand")


def wish(
    start: str, hours: float, type_code: str = "studio_single", tariff: str = "TF-SINGLE"
) -> RoomWish:
    return RoomWish("房间", "Room", type_code, tariff, span(start, hours))


def quoted(start: str, hours: float, *, known: Situation = PLAIN, **room: Any) -> Quote:
    asked = wish(start, hours, **room)
    known = replace(known, on=local_day(asked.span.start), space_type=asked.space_type)
    return rating.rate(asked, book=book(), situation=known)


@pytest.mark.parametrize(
    ("start", "hours", "amounts"),
    [
        ("11-16 10:00", 1, [6000]),
        ("11-16 10:00", 1.25, [9000]),
        ("11-16 18:00", 2, [6000, 9000]),
        ("11-16 10:00", 9, [50_000]),
        ("11-16 17:30", 5, [9000, 33_000 - 33_000 + 31_500]),
        ("11-16 23:00", 12, [9000, 14_000 * 2 + 4000, 12_000]),
        ("11-11 23:00", 2, [11_700, 4000]),
        ("11-12 23:00", 1, [9000]),
    ],
)
def test_bands_sessions_and_surge(start: str, hours: float, amounts: list[int]) -> None:
    assert [x.gross_fen for x in quoted(start, hours).lines] == amounts


def test_each_piece_has_the_surge_of_its_own_day() -> None:
    lines = quoted("10-19 22:00", 24).lines

    assert [(x.band, str(x.surge)) for x in lines] == [
        ("prime", "1"),
        ("off_peak", "1"),
        ("standard", "1"),
        ("prime", "1.30"),
    ]


def test_services_are_never_discounted() -> None:
    asked = replace(wish("11-18 09:00", 3), services=(ServiceWish("SV-DIR", Decimal(2)),))
    known = situation("T009", date(2026, 11, 18), space_type="studio_single")

    quote = rating.rate(asked, book=book(), situation=known)

    assert (quote.list_fen, quote.discount_fen, quote.total_fen) == (42_000, 18_000, 24_000)


def test_free_hours_end_where_the_month_is_used_up() -> None:
    known = situation("T009", date(2026, 11, 18), used_month={"P01": 16})

    quote = quoted("11-18 09:00", 3, known=known)

    verdict = next(v for v in quote.policies if v.code == "P01")
    assert (verdict.verdict, verdict.half_hours, verdict.amount_fen) == ("capped", 4, 12_000)


def test_a_budget_gives_what_it_still_holds_and_then_nothing() -> None:
    known = situation("T019", date(2026, 11, 18))
    room = {"type_code": "studio_jewel", "tariff": "TF-JEWEL"}

    def pilot(left: int) -> tuple[str, int]:
        at_left = replace(known, budget_left_fen={"P08": left})
        quote = quoted("11-18 19:00", 4, known=at_left, **room)
        verdict = next(v for v in quote.policies if v.code == "P08")
        return verdict.verdict, verdict.amount_fen

    assert pilot(17_400) == ("applied", 17_400)
    assert pilot(10_000) == ("capped", 10_000)
    assert pilot(0) == ("refused", 0)


def test_volume_is_never_given_together_with_pilot() -> None:
    known = situation("T019", date(2026, 11, 18), month_half_hours=400)

    quote = quoted("11-18 19:00", 4, known=known, type_code="studio_jewel", tariff="TF-JEWEL")

    found = {v.code: v for v in quote.policies}
    assert found["P08"].verdict == "applied"
    assert found["P12"].verdict == "refused"
    assert "珠宝" in found["P12"].reason_zh


def test_of_a_group_only_the_best_counts_and_the_other_says_why() -> None:
    known = replace(PLAIN, month_half_hours=400)

    quote = quoted("11-18 00:00", 4, known=known)

    found = {v.code: v for v in quote.policies}
    assert (found["P06"].verdict, found["P06"].amount_fen) == ("applied", 2800)
    assert (found["P12"].verdict, found["P12"].reason_zh) == (
        "refused",
        "同类优惠中夜间时段连用优惠更优",
    )


def test_a_refused_tier_says_what_unlocks_it() -> None:
    verdict = next(v for v in quoted("11-18 10:00", 2).policies if v.code == "P12")

    assert verdict.verdict == "refused"
    assert verdict.unlock_zh == "本月再使用80小时"
    assert verdict.unlock_en == "use 80 h more this month"


def test_rating_d_suspends() -> None:
    assert quoted("11-18 10:00", 2, known=replace(PLAIN, rating="D")).suspended


def test_items_are_priced_by_the_piece_and_some_rooms_are_free() -> None:
    items = replace(wish("11-18 10:00", 1, "jewel_qc", "TF-JQC"), units=3)
    free = wish("11-18 10:00", 1, "policy_desk", "")

    assert rating.rate(items, book=book(), situation=PLAIN).total_fen == 2400
    assert rating.rate(free, book=book(), situation=PLAIN).total_fen == 0


@pytest.mark.parametrize("service", ["SV-COMM", "SV-NONE"])
def test_a_service_without_a_listed_price_is_refused(service: str) -> None:
    asked = replace(wish("11-18 10:00", 1), services=(ServiceWish(service),))

    with pytest.raises(NotPriced):
        rating.rate(asked, book=book(), situation=PLAIN)


@pytest.mark.parametrize("qty", [Decimal(0), Decimal(-1), Decimal("NaN")])
def test_a_quantity_that_is_not_positive_is_refused(qty: Decimal) -> None:
    asked = replace(wish("11-18 10:00", 1), services=(ServiceWish("SV-DIR", qty),))

    with pytest.raises(NotPriced):
        rating.rate(asked, book=book(), situation=PLAIN)


def facts(outcome: str = "completed", **rest: Any) -> BookingFacts:
    quote = quoted("11-18 19:00", 4)
    plain: dict[str, Any] = {
        "booking_code": "BK1",
        "tenant_id": 1,
        "space_id": 1,
        "span": span("11-18 19:00", 4),
        "outcome": outcome,
        "quote": quote.as_json(),
    }
    return BookingFacts(**plain | rest)


def owed(known: BookingFacts) -> dict[str, int]:
    names = Bi("房间", "Room")
    found = aftermath.owed(known, names=names, tariff="TF-SINGLE", book=book())
    return {key: x.gross_fen for key, x in found}


@pytest.mark.parametrize(
    ("hours_before", "fee"),
    [(24, 0), (23.99, 9900), (4, 9900), (3.99, 26_400), (0, 26_400), (-1, 26_400)],
)
def test_cancellation_fees_by_steps(hours_before: float, fee: int) -> None:
    cancelled_at = at("11-18 19:00") - timedelta(hours=hours_before)

    found = owed(facts("cancelled", cancelled_at=cancelled_at))

    assert found == ({"cancellation": fee} if fee else {})


def test_no_show_costs_the_list_price_whatever_was_discounted() -> None:
    quote = quoted("11-18 19:00", 4, known=replace(PLAIN, rating="A"))
    assert quote.discount_fen > 0

    assert owed(facts("no_show", quote=quote.as_json())) == {"no_show/0": 33_000}


def test_overtime_by_started_quarter_dearer_when_the_next_is_booked() -> None:
    over = Span(at("11-18 23:00"), at("11-18 23:16"))

    assert owed(facts(overtime=over))["overtime"] == 6750
    assert owed(facts(overtime=over, next_booked=True))["overtime"] == 9000


def test_energy_above_what_is_included() -> None:
    assert owed(facts(energy_wh=4000)) == {"line/0": 33_000}
    assert owed(facts(energy_wh=5500))["energy"] == 180
    assert owed(facts(energy_wh=5500, included_wh=5500)) == {"line/0": 33_000}


@pytest.mark.parametrize(("minutes", "credit"), [(9, 0), (10, 2750), (60, 16_500), (240, 33_000)])
def test_fault_credit_never_exceeds_the_booking(minutes: int, credit: int) -> None:
    policy = next(p for p in book().policies if p.kind == "fault_credit")

    line = aftermath.fault_credit(
        policy=policy, room=quoted("11-18 19:00", 4).lines, booked_min=240, outage_min=minutes
    )

    assert (-line.gross_fen if line else 0) == credit


def lease(month: date, **rest: Any) -> list[tuple[str, int]]:
    plain: dict[str, Any] = {
        "lease_code": "L1",
        "tenant_id": 1,
        "space_id": 1,
        "month": month,
        "starts_on": date(2026, 3, 16),
        "ends_on": date(2029, 3, 15),
        "area_m2": Decimal(15),
        "policy": "P02",
    }
    lines = leases.rent(
        LeaseFacts(**plain | rest),
        names=Bi("房间", "Room"),
        tariff=book().tariff("TF-SINGLE"),
        book=book(),
        situation=situation("T006", month, mode="monthly"),
    )
    return [(x.policy, x.gross_fen) for x in lines]


def test_lease_by_days_free_months_and_steps() -> None:
    assert lease(date(2026, 3, 1), policy=None) == [("", 216_774)]
    assert lease(date(2026, 3, 1), free_months=1) == [("", 216_774), ("", -216_774)]
    assert lease(date(2026, 4, 1)) == [("", 420_000), ("P02", -210_000)]
    assert lease(date(2027, 4, 1)) == [("", 420_000), ("P02", -126_000)]
    assert lease(date(2026, 2, 1)) == []
    assert lease(date(2026, 4, 1), area_m2=Decimal(400)) == [
        ("", 11_200_000),
        ("P02", -2_800_000),
    ]


STARTS = st.integers(0, 365 * 48 - 1).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n)
)
SITUATIONS = st.builds(
    Situation,
    on=st.just(date(2026, 1, 1)),
    rating=st.sampled_from("ABCD"),
    category=st.sampled_from(["university", "brand", "district_mcn", "factory"]),
    industry=st.sampled_from(["jewellery", "automobile", "apparel"]),
    tags=st.frozensets(
        st.sampled_from(["training_partner", "public_interest", "headline_anchor"])
    ),
    registered=st.booleans(),
    joined_on=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    purpose=st.sampled_from([None, "public_training", "live_sales"]),
    partner_category=st.sampled_from([None, "district_mcn", "brand"]),
    agreement=st.booleans(),
    programme_filed=st.booleans(),
    annual_gmv_yuan=st.sampled_from([Decimal(0), Decimal(500_000_000)]),
    approvals=st.frozensets(st.sampled_from(["P05", "P10"])),
    month_half_hours=st.integers(0, 400),
    used_month=st.dictionaries(st.sampled_from(["P01", "P05", "P07", "P10"]), st.integers(0, 130)),
    budget_left_fen=st.dictionaries(st.sampled_from(["P08", "P09"]), st.integers(0, 50_000)),
)
ROOMS = st.sampled_from(
    [
        ("studio_single", "TF-SINGLE"),
        ("studio_jewel", "TF-JEWEL"),
        ("studio_auto", "TF-AUTO"),
        ("studio_variety", "TF-VARI"),
        ("practice", "TF-PRAC"),
    ]
)


@settings(max_examples=1000, deadline=None)
@given(STARTS, st.integers(1, 60), ROOMS, SITUATIONS)
def test_any_quote_adds_up_and_stays_below_its_ceilings(
    start: datetime, half_hours: int, room: tuple[str, str], known: Situation
) -> None:
    when = Span(start, start + timedelta(minutes=30 * half_hours))
    asked = RoomWish("房间", "Room", room[0], room[1], when)
    known = replace(known, on=local_day(start), space_type=room[0])

    quote = rating.rate(asked, book=book(), situation=known)

    assert all(x.gross_fen == x.net_fen + x.vat_fen for x in quote.lines)
    assert (
        quote.total_fen == quote.net_fen + quote.vat_fen == sum(x.gross_fen for x in quote.lines)
    )
    assert 0 <= quote.discount_fen <= quote.list_fen
    assert sum(v.amount_fen for v in quote.policies) == quote.discount_fen
    assert {line_from_json(x.as_json()) for x in quote.lines} == set(quote.lines)
    if known.rating in "CD":
        assert quote.discount_fen == 0
    groups = {p.code: p.group for p in book().policies}
    given_by = {v.code: v.amount_fen for v in quote.policies if v.verdict != "refused"}
    mild = sum(a for code, a in given_by.items() if groups[code] not in ("public", "entry"))
    assert mild <= quote.list_fen * 70 // 100 + len(quote.lines)
    assert not ({groups[c] for c in given_by} >= {"pilot", "volume"})
    for code, left in known.budget_left_fen.items():
        assert given_by.get(code, 0) <= left
    rooms = [x for x in quote.lines if x.kind == "room"]
    surged = [x for x in rooms if x.surge > 1 and x.band == "prime"]
    if len(surged) == len(rooms):
        assert quote.discount_fen <= sum((x.gross_fen * 20 + 50) // 100 for x in surged)


@settings(max_examples=300, deadline=None)
@given(STARTS, st.integers(1, 30), ROOMS, SITUATIONS, st.randoms(use_true_random=False))
def test_the_order_of_inputs_does_not_matter(
    start: datetime, half_hours: int, room: tuple[str, str], known: Situation, random: Any
) -> None:
    when = Span(start, start + timedelta(minutes=30 * half_hours))
    wanted = [ServiceWish("SV-DIR"), ServiceWish("SV-CAM", Decimal(2)), ServiceWish("SV-MK")]
    shuffled = replace(
        book(),
        policies=tuple(random.sample(book().policies, len(book().policies))),
        surges=tuple(random.sample(book().surges, len(book().surges))),
        bands=tuple(random.sample(book().bands, len(book().bands))),
    )
    asked = RoomWish("房间", "Room", room[0], room[1], when, tuple(wanted))
    again = replace(asked, services=tuple(random.sample(wanted, len(wanted))))
    known = replace(known, on=local_day(start), space_type=room[0])

    first = rating.rate(asked, book=book(), situation=known)

    assert rating.rate(again, book=shuffled, situation=known) == first


def broken(**changes: Any) -> dict[str, Any]:
    return {**demo(), **changes}


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (broken(time_bands=demo()["time_bands"][:2]), "hole"),
        (
            broken(
                time_bands=[
                    *demo()["time_bands"][:2],
                    {**demo()["time_bands"][2], "from_time": "18:00"},
                ]
            ),
            "overlaps",
        ),
        (broken(tariffs=[{**demo()["tariffs"][0], "monthly_per_m2": "-1.00"}]), "negative price"),
        (broken(tariffs=[{**demo()["tariffs"][0], "hourly": {"prime": "1.00"}}]), "each band"),
        (broken(tariffs=[demo()["tariffs"][0]] * 2), "twice"),
        (broken(policies=[{**demo()["policies"][0], "eligibility": {"moon": 1}}]), "moon"),
        (broken(policies=[{**demo()["policies"][3], "benefit": {"pct": "140"}}]), "percentage"),
        (broken(services=[{"code": "SV-X"}]), "SV-X"),
        (broken(vat_rates={"modern_service_6": "NaN"}), "between 0 and 1"),
        (broken(tariffs=None), "missing"),
        (broken(tariffs="all"), "not a list"),
        (broken(tariffs=[1]), "not an object"),
        (broken(vat_rates=[0.06]), "unknown VAT category"),
        (broken(vat_rates={"modern_service_6": None}), "not a rate"),
    ],
)
def test_a_broken_price_book_is_refused_with_its_fault(data: dict[str, Any], fault: str) -> None:
    with pytest.raises(BookFaults) as caught:
        read_book(data)

    assert any(fault in text for text in caught.value.faults)


def test_all_faults_are_listed_at_once() -> None:
    data = broken(
        services=[{"code": "SV-X"}, {"code": "SV-Y"}],
        policies=[{**p, "kind": "magic"} for p in demo()["policies"][:2]],
    )

    with pytest.raises(BookFaults) as caught:
        read_book(data)

    assert len(caught.value.faults) >= 4


def test_every_demo_policy_can_be_read() -> None:
    found = [policies.read(p) for p in demo()["policies"]]

    assert len(found) == 17
