"""The rules against outside facts: quotas, notice, lengths, crowds, check-in, credit, approval.

Vectors judged wrong: none of these files. Two notes. LibreBooking's limit 0 of simultaneous
bookings means "no limit", which is null here. "Invoiced" of the Nexudus page stands for whatever
keeps a room from being given away; here that is a room on air.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from base_ops.core.spans import Span
from booking.domain.rulebook import Book, Case, Place, Renter, Stay, compile_book, door, tally
from tests.booking.vectors import cases, rules_of

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG = 366 * 24 * 60
RULES_RUN = {
    "min_notice_add", "min_notice_update", "min_notice_delete", "max_notice", "start_in_future",
    "min_duration", "max_duration", "no_cross_day", "check_in", "check_out", "credits", "approval",
}  # fmt: skip


def rule(kind: str, *, scope: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    code = f"{kind}_{'_'.join(sorted(str(v) for v in (scope or {}).values()))}"
    safe = "".join(c if c.isalnum() else "_" for c in code)
    return {"code": safe, "kind": kind, "scope": scope or {}, "params": params}


def book(*rules: dict[str, Any], zone: str = "Asia/Shanghai", week: str = "SU") -> Book:
    return compile_book({"week_starts_on": week, "rules": list(rules)}, zone=ZoneInfo(zone))


def span(start: str, end: str) -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


def in_hours(start: float, length: float = 1) -> Span:
    begins = NOW + start * HOUR
    return Span(begins, begins + length * HOUR)


def accepts(rules: Book, case: Case, stays: list[Stay] = []) -> bool:  # noqa: B006
    places = {code: Place(code) for stay in stays for code in stay.spaces}
    hearing = rules.hearing(case)
    return not hearing.verdict(tally(hearing.needs, stays, places)).broken


def quota_book(quota: dict[str, Any]) -> Book:
    limit = quota["limit"]
    figure = (
        {"kind": "hours_quota", "minutes": int(limit["hours"] * 60)}
        if "hours" in limit
        else {"kind": "count_quota", "most": limit["count"]}
    )
    scope = {}
    if "resource" in quota:
        scope["spaces"] = [quota["resource"]]
    if "venue" in quota:
        scope["sites"] = [quota["venue"]]
    if "group" in quota:
        scope["tenant_tags"] = [quota["group"]]
    return book(
        rule(
            scope=scope,
            period=quota["period"],
            counting="scope" if "venue" in quota else "shared",
            between=quota.get("enforced_hours"),
            past_counts=quota.get("scope") != "exclude_completed",
            **figure,
        ),
        zone=quota["tz"],
        week=quota.get("week_starts_on", "SU"),
    )


@pytest.mark.parametrize("vector", cases("quota_librebooking"))
def test_quotas(vector: dict[str, Any]) -> None:
    quota, request = vector["quota"], vector["request"]
    venue = quota.get("venue", "")
    places = {
        code: Place(code, site=venue)
        for code in request["resources"] + [row["resource"] for row in vector["existing"]]
    }
    changed = {*request.get("series_refs", ()), *request.get("deleted_refs", ())}
    stays = [
        Stay(span(row["start"], row["end"]), (row["resource"],), row.get("ref", ""))
        for row in vector["existing"]
    ]
    wish = span(request["start"], request["end"])
    case = Case(
        places=tuple(places[code] for code in request["resources"]),
        renter=Renter("T1", tags=frozenset(request.get("groups", ()))),
        span=wish,
        now=wish.start - HOUR,
    )

    hearing = quota_book(quota).hearing(case)
    usage = tally(hearing.needs, [s for s in stays if s.code not in changed or not s.code], places)

    assert bool(hearing.verdict(usage).broken) is vector["exceeds"]


def by_place(kind: str, hours: dict[str, float | None]) -> Book:
    return book(
        *(
            rule(kind, scope={"spaces": [code]}, minutes=None if h is None else int(h * 60))
            for code, h in hours.items()
        )
    )


def at(places: dict[str, Any], wished: Span, was: Span | None = None) -> Case:
    return Case(tuple(Place(code) for code in places), Renter("T1"), wished, NOW, was=was)


def test_every_kind_of_vector_is_run() -> None:
    assert rules_of("rules_librebooking") == RULES_RUN


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("min_notice_add",)))
def test_minimum_notice(vector: dict[str, Any]) -> None:
    given = vector["given"]
    rules = by_place("min_notice", given["notice_hours"])

    verdicts = [
        accepts(rules, at(given["notice_hours"], in_hours(start)))
        for start in given["instances_hours_from_now"]
    ]

    assert all(verdicts) is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("min_notice_update",)))
def test_cut_off_for_changes(vector: dict[str, Any]) -> None:
    given = vector["given"]
    rules = by_place("change_cutoff", given["notice_hours"])
    old, new = in_hours(given["old_start_hours"]), in_hours(given["new_start_hours"])

    verdict = accepts(rules, at(given["notice_hours"], new, was=old))

    assert verdict is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("min_notice_delete",)))
def test_cut_off_for_cancelling(vector: dict[str, Any]) -> None:
    given = vector["given"]
    rules = by_place("cancel_cutoff", given["notice_hours"])
    places = [Place(code) for code in given["notice_hours"]]

    verdicts = [
        rules.cancelling(places, Renter("T1"), in_hours(start).start, now=NOW)
        for start in given["instances_hours_from_now"]
    ]

    assert all(not v.broken for v in verdicts) is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("max_notice",)))
@pytest.mark.parametrize("measured_at", ["start", "end"])
def test_advance_window(vector: dict[str, Any], measured_at: str) -> None:
    given = vector["given"]
    rules = book(
        *(
            rule(
                "horizon", scope={"spaces": [code]}, measured_at=measured_at,
                minutes=None if h is None else int(h * 60),
            )
            for code, h in given["notice_hours"].items()
        )
    )  # fmt: skip

    verdicts = [
        accepts(rules, at(given["notice_hours"], in_hours(start, length=0.5)))
        for start in given["instances_hours_from_now"]
    ]

    assert all(verdicts) is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("start_in_future",)))
def test_the_past(vector: dict[str, Any]) -> None:
    given = {name: datetime.fromisoformat(text) for name, text in vector["given"].items()}
    case = Case(
        (Place("1"),), Renter("T1"), Span(given["start"], given["start"] + HOUR), given["now"]
    )

    verdict = accepts(book(rule("not_in_past", tolerance_min=0)), case)

    assert verdict is (vector["expect"] == "accept")


@pytest.mark.parametrize(
    "vector", cases("rules_librebooking", rules=("min_duration", "max_duration"))
)
def test_lengths(vector: dict[str, Any]) -> None:
    given = vector["given"]
    kind = "min_length" if "min_hours" in given else "max_length"
    limits = given.get("min_hours") or given["max_hours"]

    verdict = accepts(by_place(kind, limits), at(limits, in_hours(1, given["duration_hours"])))

    assert verdict is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("no_cross_day",)))
def test_crossing_midnight(vector: dict[str, Any]) -> None:
    given = vector["given"]
    allowed = given["multiday_allowed"]
    rules = book(
        *(
            rule("max_days", scope={"spaces": [code]}, days=None if ok else 1)
            for code, ok in allowed.items()
        ),
        zone=given["tz"],
    )

    verdict = accepts(rules, at(allowed, span(given["start"], given["end"])))

    assert verdict is (vector["expect"] == "accept")


def the_door(**params: Any) -> door.Door:
    return book(rule("check_in", **params)).door(Place("1"), Renter("T1"))


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("check_in",)))
def test_check_in(vector: dict[str, Any]) -> None:
    given = vector["given"]
    grace = given.get("auto_release_minutes") or [None]
    rules = the_door(
        needed=given.get("check_in_enabled", True),
        opens_min=given.get("opens_minutes_before", 5),
        grace_min=min(grace, key=lambda m: (m is None, m)),
    )

    refusal = door.refusal(
        rules,
        span(given["start"], given["end"]),
        setup=timedelta(),
        kept=False,
        now=datetime.fromisoformat(given["now"]),
    )

    assert (refusal is None) is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("check_out",)))
def test_check_out(vector: dict[str, Any]) -> None:
    given = vector["given"]
    rules = the_door(needed=given.get("check_in_enabled", True), grace_min=None)

    may = door.may_check_out(rules, checked_in=given["checked_in"])

    assert may is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("credits",)))
def test_prepaid(vector: dict[str, Any]) -> None:
    given = vector["given"]
    case = Case(
        (Place("1"),), Renter("T1", prepaid_fen=given["balance"]), in_hours(1), NOW,
        price_fen=given["required"],
    )  # fmt: skip

    verdict = accepts(book(rule("prepaid")), case)

    assert verdict is (vector["expect"] == "accept")


@pytest.mark.parametrize("vector", cases("rules_librebooking", rules=("approval",)))
def test_approval(vector: dict[str, Any]) -> None:
    given = vector["given"]
    rules = [rule("approval", scope={"spaces": ["1"]})] if given["resource_needs_approval"] else []
    case = Case(
        (Place("1"),), Renter("T1"), in_hours(1), NOW, approver=given["booker_is_approver"]
    )

    verdict = book(rule("units"), *rules).judge(case)

    assert verdict.needs_approval is (vector["expect"] != "confirmed")


def clock(text: str) -> datetime:
    days, _, time = text.rpartition(" ")
    hour, minute = time.split(":")
    later = timedelta(days=int(days.removeprefix("day+") or 0))
    return NOW.replace(hour=int(hour), minute=int(minute)) + later


@pytest.mark.parametrize("vector", cases("venue_concurrency_librebooking"))
def test_simultaneous_bookings_of_the_whole_venue(vector: dict[str, Any]) -> None:
    request = vector["request"]
    stays = [
        Stay(Span(clock(row[1]), clock(row[2])), (row[0],), "".join(row[3:]))
        for row in vector["existing"]
    ]
    others = [s for s in stays if not s.code or s.code != request.get("updates")]
    days = int(request.get("rrule", "COUNT=1").partition("COUNT=")[2])
    rules = book(rule("venue_concurrent", most=vector["limit"] or None))
    wish = Span(clock(request["start"]), clock(request["end"]))

    verdicts = [
        accepts(
            rules,
            Case(
                tuple(Place(code) for code in request["resources"]),
                Renter("T1"),
                Span(wish.start + timedelta(days=n), wish.end + timedelta(days=n)),
                NOW,
            ),
            others,
        )
        for n in range(days)
    ]

    assert all(verdicts) is (vector["expect"] == "accept")
