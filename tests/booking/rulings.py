"""Small words for tests about rules: rules, books, cases, and what is said of them."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from base_ops.core.spans import Span
from booking.domain.rulebook import (
    Book,
    Broken,
    Case,
    Place,
    Renter,
    Stay,
    Usage,
    Verdict,
    compile_book,
    tally,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)  # a Tuesday, 15:00 in Guangzhou
HOUR = timedelta(hours=1)
ROOM = Place("S1", capacity=4, type="studio_single", site="TST")
BRAND = Renter("T1", category="brand")
KNOWN = {
    place.code: place
    for place in (
        ROOM,
        Place("A", type="x", site="TST"),
        Place("B", type="x", site="TST"),
        Place("C", type="y", site="TST"),
    )
}
_codes = itertools.count(1)


def rule(
    kind: str,
    *,
    code: str = "",
    scope: dict[str, Any] | None = None,
    by: Iterable[str] = (),
    weight: int = 0,
    replaces: Iterable[str] = (),
    **params: Any,
) -> dict[str, Any]:
    return {
        "code": code or f"{kind}_{next(_codes)}",
        "kind": kind,
        "scope": scope or {},
        "params": params,
        "overridable_by": list(by),
        "weight": weight,
        "replaces": list(replaces),
    }


def document(*rules: dict[str, Any], week: str = "MO") -> dict[str, Any]:
    return {"week_starts_on": week, "rules": list(rules)}


def book(*rules: dict[str, Any], zone: tzinfo = SHANGHAI, week: str = "MO") -> Book:
    return compile_book(document(*rules, week=week), version=7, zone=zone)


def local(text: str) -> datetime:
    """An instant of the Guangzhou clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def between(start: str, end: str) -> Span:
    return Span(local(start), local(end))


def ahead(minutes: float, length: float = 60) -> Span:
    start = NOW + timedelta(minutes=minutes)
    return Span(start, start + timedelta(minutes=length))


def case(span: Span | None = None, *places: Place, **changes: Any) -> Case:
    fields = {"renter": BRAND, "now": NOW, **changes}
    return Case(places=places or (ROOM,), span=span or ahead(60), **fields)


def usage(rules: Book, wish: Case, *stays: Stay) -> Usage:
    return tally(rules.hearing(wish).needs, stays, KNOWN)


def verdict(rules: Book, wish: Case, *stays: Stay) -> Verdict:
    return rules.judge(wish, usage(rules, wish, *stays))


def broken(rules: Book, wish: Case, *stays: Stay) -> list[Broken]:
    return list(verdict(rules, wish, *stays).broken)


def only(rules: Book, wish: Case, *stays: Stay) -> Broken:
    (found,) = broken(rules, wish, *stays)
    return found


_PERIODIC: dict[str, Any] = {"period": "week", "between": ["22:00", "06:00"], "weekdays": ["SA"]}
EVERYTHING = document(
    rule("bookable"),
    rule("not_in_past"),
    rule("not_in_past", scope={"ratings": ["A"]}, tolerance_min=5),
    rule("opening_hours", week={"MO": [["09:00", "26:00"]]}, dates={"2027-02-06": []}),
    rule("step", minutes=15),
    rule("min_length", minutes="own"),
    rule("max_length", minutes=720),
    rule("max_length", scope={"tenants": ["T1"]}, minutes=None),
    rule("max_days", days=2),
    rule("max_days", scope={"tenants": ["T1"]}, days=None),
    rule("min_notice", minutes=90),
    rule("change_cutoff", minutes=60),
    rule("cancel_cutoff", minutes=1440),
    rule("horizon", days=30, count="calendar"),
    rule("horizon", scope={"tenants": ["T1"]}, minutes=4000),
    rule("horizon", scope={"tenants": ["T2"]}),
    rule("series_horizon", days=400),
    rule("series_horizon", scope={"tenants": ["T1"]}, days=None),
    rule("capacity", people="own"),
    rule("capacity", scope={"tenants": ["T1"]}, people=3),
    rule("capacity", scope={"tenants": ["T2"]}, people=None),
    rule("units"),
    rule("suspended", ratings=["D"]),
    rule("suspended", scope={"tenants": ["T1"]}, inactive=False),
    rule("prepaid"),
    rule("prepaid", scope={"tenants": ["T1"]}, only=False),
    rule("credit_limit", limit_fen="own"),
    rule("credit_limit", scope={"tenants": ["T1"]}, limit_fen=100),
    rule("credit_limit", scope={"tenants": ["T2"]}, limit_fen=None),
    rule("hold_ttl", minutes=10),
    rule("check_in", grace_min=20),
    rule("check_in", scope={"tenants": ["T1"]}, grace_min=None),
    rule("check_in", scope={"tenants": ["T2"]}, grace_min=None, needed=False),
    rule("required_documents", documents=["licence"]),
    rule("approval"),
    rule("approval", over_minutes=120, over_people=3),
    rule("hours_quota", minutes=600, **_PERIODIC),
    rule("hours_quota", minutes=None, period="day", counting="shared"),
    rule("count_quota", most=3, **_PERIODIC, counting="shared", past_counts=False),
    rule("concurrent", most=2),
    rule("venue_concurrent", most=20),
    rule("venue_concurrent", most=None, counting="shared"),
)
