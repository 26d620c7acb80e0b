"""Quotas and crowds against a plain model that looks at every quarter of an hour."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span
from booking.domain import peaks
from booking.domain.rulebook import Case, Stay
from booking.domain.rulebook.params import WEEKDAYS
from tests.booking.rulings import KNOWN, NOW, SHANGHAI, between, book, broken, case, only, rule

TICK = timedelta(minutes=15)
ROOMS = KNOWN
spans = st.builds(
    lambda start, length: Span(NOW + start * TICK, NOW + (start + length) * TICK),
    st.integers(-4 * 24 * 12, 4 * 24 * 12),
    st.integers(1, 4 * 40),
)
stays = st.lists(
    st.builds(
        Stay, spans, st.sampled_from([("A",), ("B",), ("C",), ("A", "C")])
    ),
    max_size=6,
)  # fmt: skip


def ticks(span: Span) -> Iterable[datetime]:
    instant = span.start
    while instant < span.end:
        yield instant.astimezone(SHANGHAI)
        instant += TICK


def period(name: str, tick: datetime, week: str) -> date:
    """The first day of the period, found by walking back day by day."""
    day = tick.date()
    while not (
        name == "day"
        or (name == "week" and WEEKDAYS[day.weekday()] == week)
        or (name == "month" and day.day == 1)
        or (name == "year" and (day.month, day.day) == (1, 1))
    ):
        day -= timedelta(days=1)
    return day


def counted(tick: datetime, hours: tuple[int, int] | None, weekdays: tuple[str, ...]) -> bool:
    if WEEKDAYS[tick.weekday()] not in weekdays:
        return False
    if hours is None:
        return True
    start, end = hours
    return start <= tick.hour < end if start < end else tick.hour >= start or tick.hour < end


@settings(max_examples=300)
@given(
    wish=spans,
    others=stays,
    unit=st.sampled_from(["day", "week", "month", "year"]),
    week=st.sampled_from(WEEKDAYS),
    limit=st.integers(0, 60),
    kind=st.sampled_from(["hours_quota", "count_quota"]),
    counting=st.sampled_from(["scope", "shared"]),
    named=st.sampled_from([{}, {"spaces": ["A"]}, {"space_types": ["x"]}, {"sites": ["TST"]}]),
    hours=st.sampled_from([None, (8, 20), (22, 6), (0, 24)]),
    weekdays=st.sampled_from([WEEKDAYS, ("SA", "SU"), ("MO",)]),
    past=st.booleans(),
)
def test_quotas_agree_with_a_model_that_counts_quarters(
    wish: Span, others: list[Stay], unit: str, week: str, limit: int, kind: str, counting: str,
    named: dict[str, list[str]], hours: tuple[int, int] | None, weekdays: tuple[str, ...],
    past: bool,
) -> None:  # fmt: skip
    figure: dict[str, Any] = {"minutes": 15 * limit} if kind == "hours_quota" else {"most": limit}
    rules = book(
        rule(
            kind, scope=named, period=unit, week_starts_on=week, counting=counting,
            between=None if hours is None else [f"{h:02d}:00" for h in hours],
            weekdays=list(weekdays), past_counts=past,
            **figure,
        )
    )  # fmt: skip
    asked = case(wish, ROOMS["A"])

    found = broken(rules, asked, *others)

    def meant(stay: Stay) -> bool:
        of = {ROOMS[code] for code in stay.spaces}
        if counting == "shared":
            of = {place for place in of if place.code == "A"}
        of = {p for p in of if p.code in named.get("spaces", p.code)}
        of = {p for p in of if p.type in named.get("space_types", p.type)}
        return bool(of) and (past or stay.span.end > NOW)

    mine = [t for t in ticks(wish) if counted(t, hours, weekdays)]
    used: Counter[date] = Counter()
    for span in [wish, *(stay.span for stay in others if meant(stay))]:
        at = [period(unit, t, week) for t in ticks(span) if counted(t, hours, weekdays)]
        used.update(at if kind == "hours_quota" else set(at))
    over = {p for p in (period(unit, t, week) for t in mine) if used[p] > limit}
    assert len(found) == len(over)
    assert all(any(p.isoformat() in b.reason_en for b in found) for p in over)


@settings(max_examples=200)
@given(
    wish=spans,
    others=stays,
    most=st.integers(0, 4),
    kind=st.sampled_from(["concurrent", "venue_concurrent"]),
    named=st.sampled_from([{}, {"space_types": ["x"]}]),
)
def test_crowds_agree_with_a_model_that_looks_at_every_quarter(
    wish: Span, others: list[Stay], most: int, kind: str, named: dict[str, list[str]]
) -> None:
    rules = book(rule(kind, scope=named, most=most))
    asked = case(wish, ROOMS["A"])

    found = broken(rules, asked, *others)

    def weight(stay: Stay) -> int:
        n = sum(ROOMS[c].type in named.get("space_types", ROOMS[c].type) for c in stay.spaces)
        return n if kind == "venue_concurrent" else min(n, 1)

    crowded = [
        t for t in ticks(wish) if 1 + sum(weight(s) for s in others if s.span.contains(t)) > most
    ]
    assert bool(found) is bool(crowded)
    for b in found:
        if b.accepted is not None:
            assert broken(rules, _accepting(asked, b), *others) == []


def _accepting(asked: Case, found: Any) -> Case:
    instant = datetime.fromisoformat(found.accepted)
    span = asked.span
    better = Span(instant, span.end) if found.field == "starts_at" else Span(span.start, instant)
    return case(better, *asked.places)


@given(spans, st.lists(st.tuples(spans, st.integers(1, 5)), max_size=8))
def test_the_peak_is_the_highest_quantity_of_any_quarter(
    window: Span, taken: list[tuple[Span, int]]
) -> None:
    highest = max(sum(q for span, q in taken if span.contains(t)) for t in ticks(window))

    assert peaks.peak(window, taken) == highest
    levels = list(peaks.levels(window, taken))
    assert levels[0][0] == window.start
    assert all(a[0] < b[0] for a, b in pairwise(levels))


def test_a_night_is_cut_at_midnight_and_each_part_counts_in_its_own_day() -> None:
    rules = book(rule("hours_quota", period="day", minutes=240))
    evening = Stay(between("2026-09-16T18:00", "2026-09-16T20:00"), ("S1",))
    night = between("2026-09-16T22:00", "2026-09-17T04:00")

    assert broken(rules, case(night), evening) == []
    morning = Stay(between("2026-09-17T08:00", "2026-09-17T08:30"), ("S1",))
    assert (
        only(rules, case(night), evening, morning).accepted
        == between("2026-09-16T22:00", "2026-09-17T03:30").end.isoformat()
    )


def test_a_full_period_offers_the_next_one() -> None:
    rules = book(rule("count_quota", period="day", most=1))
    taken = Stay(between("2026-09-16T08:00", "2026-09-16T09:00"), ("S1",))

    found = only(rules, case(between("2026-09-16T10:00", "2026-09-16T11:00")), taken)

    assert (found.field, found.limit) == ("starts_at", 1)
    assert datetime.fromisoformat(found.accepted).astimezone(SHANGHAI).isoformat() == (
        "2026-09-17T00:00:00+08:00"
    )


@pytest.mark.parametrize(("kind", "unit"), [("hours_quota", "minutes"), ("count_quota", "most")])
def test_a_quota_of_null_asks_for_nothing(kind: str, unit: str) -> None:
    figure: dict[str, Any] = {unit: None}
    rules = book(rule(kind, period="day", **figure))

    assert not rules.hearing(case()).needs
