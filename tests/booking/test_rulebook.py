"""Judging: which rule wins, what each kind says, what would be accepted, who may override."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.spans import Span
from booking.domain.grid import ceil_to_grid
from booking.domain.rulebook import (
    KINDS,
    Book,
    Case,
    Place,
    Renter,
    RulesBroken,
    Stay,
    Usage,
    check,
    compile_book,
    standard,
    texts,
)
from tests.booking.rulings import (
    BRAND,
    EVERYTHING,
    HOUR,
    NOW,
    ROOM,
    ahead,
    between,
    book,
    broken,
    case,
    local,
    only,
    rule,
    verdict,
)

STANDARD = compile_book(standard.document(), version=1)
DAYS = {day: [["00:00", "24:00"]] for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")}


def codes(rules: Book, wish: Case, *stays: Stay) -> list[str]:
    return [b.code for b in broken(rules, wish, *stays)]


def test_the_standard_book_has_no_faults_and_lets_a_good_wish_pass() -> None:
    assert check(standard.document()) == []
    assert codes(STANDARD, case()) == []


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (case(ahead(-30)), ["not_in_past"]),
        (case(ahead(65, 55)), ["slot_grid", "min_length"]),
        (case(ahead(60, 25 * 60)), ["max_length"]),
        (case(ahead(91 * 1440)), ["horizon"]),
        (case(headcount=5), ["capacity"]),
        (case(headcount=0), ["capacity"]),
        (case(units=2), ["units"]),
        (case(None, replace(ROOM, bookable=False)), ["bookable"]),
        (case(renter=Renter("T1", "D")), ["suspended"]),
        (case(renter=Renter("T1", "A", active=False)), ["suspended"]),
    ],
)
def test_what_the_standard_book_refuses(wish: Case, expected: list[str]) -> None:
    assert codes(STANDARD, wish) == expected


def test_a_walk_in_may_take_the_slot_that_has_just_begun() -> None:
    just_begun = case(Span(NOW, NOW + HOUR))

    assert codes(STANDARD, replace(just_begun, now=NOW + timedelta(minutes=29))) == []
    assert codes(STANDARD, replace(just_begun, now=NOW + timedelta(minutes=30))) == ["not_in_past"]


def test_a_refusal_names_every_broken_rule_with_limit_and_what_would_do() -> None:
    wish = case(ahead(65, 30), headcount=9)

    with pytest.raises(RulesBroken) as caught:
        verdict(STANDARD, wish).waived(override=(), role="manager")

    names = [f.name for f in caught.value.fields]
    assert names == ["starts_at", "ends_at", "ends_at", "headcount"]
    assert caught.value.context["rules_version"] == 1
    found: Any = caught.value.context["broken"]
    assert found[-1] == {
        "rule": "capacity",
        "kind": "capacity",
        "rules_version": 1,
        "field": "headcount",
        "limit": 4,
        "accepted": 4,
        "overridable": False,
        "overridable_by": [],
        "reason_zh": "人数须为 1 至 4",
        "reason_en": "Between 1 and 4 people",
    }


@pytest.mark.parametrize(
    ("role", "may"), [("manager", True), ("admin", True), ("finance", False), ("", False)]
)
def test_only_named_roles_and_administrators_override(role: str, may: bool) -> None:
    off_grid = verdict(STANDARD, case(ahead(65)))

    if may:
        assert {b.code for b in off_grid.waived(override={"slot_grid"}, role=role)} == {
            "slot_grid"
        }
    else:
        with pytest.raises(RulesBroken):
            off_grid.waived(override={"slot_grid"}, role=role)


def test_what_nobody_may_override_administrators_may_not_either() -> None:
    with pytest.raises(RulesBroken):
        verdict(STANDARD, case(headcount=9)).waived(override={"capacity"}, role="admin")


def test_overriding_one_rule_does_not_hide_another() -> None:
    wish = verdict(STANDARD, case(ahead(65, 30)))

    with pytest.raises(RulesBroken) as caught:
        wish.waived(override={"slot_grid"}, role="manager")
    found: Any = caught.value.context["broken"]
    assert [b["rule"] for b in found] == ["min_length"]


SCOPES: list[dict[str, Any]] = [
    {"tenants": ["T1"]},
    {"spaces": ["S1"]},
    {"tenant_tags": ["vip"]},
    {"tenant_categories": ["brand"]},
    {"ratings": ["B"]},
    {"space_types": ["studio_single"]},
    {"sites": ["TST"]},
    {},
]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("n", range(len(SCOPES) - 1))
def test_the_more_specific_rule_wins_whatever_the_order(n: int, first: bool) -> None:
    strong = rule("max_length", scope=SCOPES[n], code="strong", minutes=600)
    weaker = {k: v for scope in SCOPES[n + 1 :] for k, v in scope.items()}
    weak = rule("max_length", scope=weaker, code="weak", minutes=30)
    rules = book(strong, weak) if first else book(weak, strong)
    vip = replace(BRAND, tags=frozenset({"vip"}))

    assert codes(rules, case(ahead(60, 700), renter=vip)) == ["strong"]
    assert codes(rules, case(ahead(60, 500), renter=vip)) == []


def test_weight_beats_specificity_and_the_first_wins_between_equals() -> None:
    heavy = rule("max_length", code="heavy", weight=1, minutes=30)
    named = rule("max_length", code="named", scope={"tenants": ["T1"]}, minutes=600)
    one = rule("max_length", code="one", scope={"spaces": ["S1", "S2"]}, minutes=45)
    two = rule("max_length", code="two", scope={"spaces": ["S1", "S3"]}, minutes=30)

    assert codes(book(named, heavy), case()) == ["heavy"]
    assert codes(book(one, two), case()) == ["one"]
    assert codes(book(two, one), case()) == ["two"]


def test_null_lifts_a_limit_for_those_the_specific_rule_names() -> None:
    rules = book(
        rule("max_length", minutes=30),
        rule("max_length", scope={"tenants": ["T1"]}, minutes=None),
    )

    assert codes(rules, case()) == []
    assert len(codes(rules, case(renter=Renter("T2")))) == 1


def test_all_quotas_apply_but_those_that_another_replaces() -> None:
    general = rule("count_quota", code="general", period="day", most=0)
    vip = rule(
        "count_quota", code="vip", scope={"tenants": ["T1"]}, period="day", most=5,
        replaces=["general"],
    )  # fmt: skip
    other = rule("count_quota", code="other", period="week", most=0)

    assert codes(book(general, vip, other), case()) == ["other"]
    assert codes(book(general, vip, other), case(renter=Renter("T2"))) == ["general", "other"]


def test_every_space_of_a_booking_must_pass_and_the_same_fault_is_named_once() -> None:
    other = replace(ROOM, code="S2", slot_min=60)
    rules = book(rule("step", code="grid", minutes="own"), rule("max_length", minutes=30))

    found = broken(rules, case(ahead(30), ROOM, other))

    assert [(b.kind, b.limit) for b in found] == [
        ("step", 60), ("step", 60), ("max_length", 30),
    ]  # fmt: skip


def test_the_main_space_holds_the_people() -> None:
    makeup = Place("M1", capacity=2)

    assert codes(STANDARD, case(None, ROOM, makeup, headcount=4)) == []
    assert codes(STANDARD, case(None, makeup, ROOM, headcount=4)) == ["capacity"]


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        ("2026-09-15T18:00", "2026-09-15T22:00", True),
        ("2026-09-15T23:00", "2026-09-16T01:30", True),
        ("2026-09-15T23:00", "2026-09-16T02:30", False),
        ("2026-09-16T01:00", "2026-09-16T02:00", True),
        ("2026-09-16T08:00", "2026-09-16T09:00", False),
        ("2026-09-20T12:00", "2026-09-20T13:00", False),
        ("2026-10-01T12:00", "2026-10-01T13:00", False),
    ],
)
def test_opening_hours_may_pass_midnight_and_days_may_differ(
    start: str, end: str, fits: bool
) -> None:
    week = {day: [["09:00", "26:00"]] for day in DAYS if day != "SU"}
    rules = book(rule("opening_hours", week=week, dates={"2026-10-01": []}))

    assert (codes(rules, case(between(start, end))) == []) is fits


def test_outside_the_opening_hours_the_next_time_that_fits_is_named() -> None:
    rules = book(
        rule("opening_hours", week={"MO": [["10:00", "12:00"]], "WE": [["10:00", "11:00"]]})
    )

    found = only(rules, case(between("2026-09-16T10:30", "2026-09-16T12:00")))

    assert found.accepted == local("2026-09-21T10:00").isoformat()
    assert found.limit == [
        [local("2026-09-16T10:00").isoformat(), local("2026-09-16T11:00").isoformat()]
    ]


def test_a_length_that_never_fits_has_no_accepted_start() -> None:
    rules = book(rule("opening_hours", week={"MO": [["10:00", "12:00"]]}))

    assert only(rules, case(ahead(60, 180))).accepted is None


def test_open_day_by_day_is_open_around_the_clock() -> None:
    assert codes(book(rule("opening_hours", week=DAYS)), case(ahead(60, 3000))) == []


@pytest.mark.parametrize(
    ("mode", "start", "fits"),
    [
        ("calendar", "2026-09-18T23:30", True),
        ("calendar", "2026-09-19T00:00", False),
        ("exact", "2026-09-18T15:00", True),
        ("exact", "2026-09-18T15:30", False),
    ],
)
def test_the_advance_window_counts_days_or_hours(mode: str, start: str, fits: bool) -> None:
    rules = book(rule("horizon", days=3, count=mode))
    wish = case(Span(local(start), local(start) + HOUR))

    assert (codes(rules, wish) == []) is fits


def test_a_series_has_its_own_advance_window() -> None:
    rules = book(rule("horizon", days=3), rule("series_horizon", code="far", days=30))
    wish = case(ahead(10 * 1440))

    assert codes(rules, replace(wish, series_last=NOW + timedelta(days=30))) == []
    assert codes(rules, replace(wish, series_last=NOW + timedelta(days=31))) == ["far"]


def test_required_documents_must_be_good_to_the_end() -> None:
    rules = book(rule("required_documents", documents=["licence", "insurance"]))
    papers = {"licence": None, "insurance": date(2026, 9, 15)}
    ends_at_midnight = between("2026-09-15T22:00", "2026-09-16T00:00")
    ends_later = between("2026-09-15T22:00", "2026-09-16T00:30")
    renter = replace(BRAND, evidence=papers)

    assert codes(rules, case(ends_at_midnight, renter=renter)) == []
    assert only(rules, case(ends_later, renter=renter)).accepted == ["insurance"]
    assert rules.hearing(case(ends_later, renter=renter)).needs.documents == ("insurance",)


@pytest.mark.parametrize(
    ("price_fen", "exposure_fen", "left"), [(400, 600, None), (401, 600, 400), (1, 2000, 0)]
)
def test_the_price_must_stay_within_the_credit(
    price_fen: int, exposure_fen: int, left: int | None
) -> None:
    rules = book(rule("credit_limit", limit_fen="own"))
    wish = case(renter=replace(BRAND, credit_limit_fen=1000), price_fen=price_fen)
    hearing = rules.hearing(wish)

    found = hearing.verdict(Usage(exposure_fen=exposure_fen)).broken

    assert hearing.needs.exposure
    assert [b.accepted for b in found] == ([] if left is None else [left])


def test_approval_is_asked_for_beyond_a_length_or_headcount_but_not_of_approvers() -> None:
    rules = book(rule("approval", code="long", over_minutes=120, over_people=3))

    assert not verdict(rules, case(ahead(60, 120))).needs_approval
    assert verdict(rules, case(ahead(60, 150))).approvals == ("long",)
    assert verdict(rules, case(headcount=4)).approvals == ("long",)
    assert not verdict(rules, case(ahead(60, 150), approver=True)).needs_approval


def test_moving_neither_into_nor_out_of_the_frozen_time() -> None:
    rules = book(rule("change_cutoff", minutes=120))
    near, far = ahead(60), ahead(180)

    assert codes(rules, case(far, was=ahead(120))) == []
    assert only(rules, case(far, was=near)).accepted is None
    assert (
        only(rules, case(near, was=far)).accepted == ceil_to_grid(NOW + 2 * HOUR, 30).isoformat()
    )


def test_a_running_booking_may_be_resized_though_its_start_has_passed() -> None:
    running = Span(NOW - HOUR, NOW + HOUR)
    longer = Span(running.start, running.end + HOUR)

    assert codes(book(rule("not_in_past")), case(longer, was=running)) == []


@given(
    st.integers(-300, 60 * 24 * 120),
    st.integers(1, 3000),
    st.integers(1, 9),
    st.sampled_from([15, 30, 60]),
)
def test_what_is_said_to_be_accepted_keeps_that_rule(
    start: int, length: int, headcount: int, slot: int
) -> None:
    place = replace(ROOM, slot_min=slot)
    week = {day: [["08:00", "26:00"]] for day in DAYS}
    rules = book(
        rule("not_in_past"), rule("step", minutes="own"), rule("min_length", minutes=90),
        rule("max_length", minutes=480), rule("max_days", days=1), rule("min_notice", minutes=45),
        rule("horizon", days=60), rule("capacity", people="own"), rule("opening_hours", week=week),
    )  # fmt: skip
    wish = case(ahead(start, length), place, headcount=headcount)

    for found in broken(rules, wish):
        if found.accepted is None:
            assert found.kind == "opening_hours"
            continue
        better = _with(wish, found.field, found.accepted)
        if better is not None:
            again = [b for b in broken(rules, better) if b.code == found.code]
            assert [b for b in again if b.field == found.field] == []


def _with(wish: Case, field: str, accepted: Any) -> Case | None:
    """The wish with one value changed; a changed start keeps the length."""
    if field == "headcount":
        return replace(wish, headcount=accepted)
    instant = datetime.fromisoformat(accepted)
    if field == "starts_at":
        return replace(wish, span=Span(instant, instant + wish.span.length))
    return (
        replace(wish, span=Span(wish.span.start, instant)) if instant > wish.span.start else None
    )


def test_a_case_without_the_facts_it_needs_is_not_judged() -> None:
    rules = book(rule("hours_quota", period="day", minutes=60))

    with pytest.raises(KeyError):
        rules.judge(case())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described_in_both_languages(kind: str) -> None:
    described = [texts.describe(r) for r in compile_book(EVERYTHING).rules if r.kind == kind]

    assert described
    for zh, en in described:
        assert zh != en
        assert en.isascii()
