"""The checks of single rules: each yields what is broken, with a value that would be accepted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from booking.domain.grid import ceil_to_grid, floor_to_grid
from booking.domain.rulebook import hours
from booking.domain.rulebook.facts import Case, Place
from booking.domain.rulebook.params import OWN, Hours
from booking.domain.rulebook.reading import Rule
from booking.domain.rulebook.verdict import Broken

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a rule is judged: its book's version and zone."""

    version: int
    zone: tzinfo

    def broken(
        self, rule: Rule, field: str, limit: Any, accepted: Any, zh: str, en: str
    ) -> Broken:
        """One broken rule as callers get it; instants as text."""
        return Broken(
            code=rule.code,
            field=field,
            limit=_plain(limit),
            accepted=_plain(accepted),
            reason_zh=zh,
            reason_en=en,
            kind=rule.kind,
            version=self.version,
            overridable_by=rule.overridable_by,
        )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


Check = Callable[[Rule, Case, Place, Bench], Iterator[Broken]]


def _not_in_past(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    if _runs(case):
        return
    tolerance = own(rule.params["tolerance_min"], place.slot_min) * _MINUTE
    if case.span.start < case.now and case.span.start + tolerance <= case.now:
        soonest = ceil_to_grid(case.now, place.slot_min)
        yield bench.broken(
            rule, "starts_at", soonest, soonest, "开始时间已过", "The start has passed"
        )


def _opening_hours(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    openings = Hours(rule.params["week"], rule.params["dates"])
    if hours.is_open(openings, case.span, bench.zone):
        return
    fit = hours.next_fit(openings, case.span, bench.zone)
    limit = [
        [span.start.isoformat(), span.end.isoformat()]
        for span in hours.open_spans(openings, case.span, bench.zone)
        if span.overlaps(case.span)
    ]
    yield bench.broken(
        rule, "starts_at", limit, fit, "不在开放时间内", "Outside the opening hours"
    )


def _step(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    minutes = own(rule.params["minutes"], place.slot_min)
    for name, instant in (("starts_at", case.span.start), ("ends_at", case.span.end)):
        if (nearest := floor_to_grid(instant, minutes)) != instant:
            yield bench.broken(
                rule, name, minutes, nearest,
                f"须为 {minutes} 分钟的整数倍", f"Must lie on a grid of {minutes} minutes",
            )  # fmt: skip


def _min_length(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    minutes = own(rule.params["minutes"], place.min_min)
    if minutes is not None and case.span.length < minutes * _MINUTE:
        yield bench.broken(
            rule, "ends_at", minutes, case.span.start + minutes * _MINUTE,
            f"最短 {minutes} 分钟", f"At least {minutes} minutes",
        )  # fmt: skip


def _max_length(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    minutes = rule.params["minutes"]
    if minutes is not None and case.span.length > minutes * _MINUTE:
        zh, en = length_text(minutes)
        yield bench.broken(
            rule, "ends_at", minutes, case.span.start + minutes * _MINUTE,
            f"最长 {zh}", f"At most {en}",
        )  # fmt: skip


def _max_days(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    most = rule.params["days"]
    if most is None:
        return
    first = case.span.start.astimezone(bench.zone).date()
    end = hours.midnight(first + timedelta(days=most), bench.zone)
    if case.span.end > end:
        yield bench.broken(
            rule, "ends_at", most, end,
            f"至多跨 {most} 个自然日", f"Within {most} calendar day(s)",
        )  # fmt: skip


def _min_notice(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    if case.was is None:
        yield from _notice(rule, case, bench, [case.span.start])


def _change_cutoff(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    """Neither out of the frozen time before now + cut-off nor into it, nor within it.

    A stay that runs is past all cut-offs: its end may still change.
    """
    if case.was is not None and not _runs(case):
        yield from _notice(rule, case, bench, [case.was.start, case.span.start])


def _runs(case: Case) -> bool:
    return case.was is not None and case.was.start == case.span.start <= case.now


def _notice(rule: Rule, case: Case, bench: Bench, starts: list[datetime]) -> Iterator[Broken]:
    minutes = rule.params["minutes"]
    if minutes is None:
        return
    soonest = case.now + minutes * _MINUTE
    if min(starts) >= soonest:
        return
    movable = case.was is None or case.was.start >= soonest
    zh, en = length_text(minutes)
    yield bench.broken(
        rule, "starts_at", minutes,
        ceil_to_grid(soonest, case.main.slot_min) if movable else None,
        f"须至少提前 {zh}", f"At least {en} ahead",
    )  # fmt: skip


def _horizon(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    """A series has an advance window of its own."""
    at_end = rule.params["measured_at"] == "end"
    latest = latest_instant(rule, now=case.now, zone=bench.zone)
    if latest is None or case.series_last is not None:
        return
    if at_end:
        beyond = case.span.end > latest
    elif rule.params["count"] == "calendar":
        beyond = case.span.start >= latest
    else:
        beyond = case.span.start > latest
    if beyond:
        minutes, days = rule.params["minutes"], rule.params["days"]
        zh, en = (f"{days} 天", f"{days} days") if minutes is None else length_text(minutes)
        last = latest - (case.span.length if at_end else timedelta())
        if rule.params["count"] == "calendar" and not at_end:
            last = latest - place.slot_min * _MINUTE
        yield bench.broken(
            rule, "starts_at", days if minutes is None else minutes,
            floor_to_grid(last, place.slot_min),
            f"最多提前 {zh}预订", f"At most {en} ahead",
        )  # fmt: skip


def latest_instant(rule: Rule, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Where the advance window ends: to the minute, or at the end of the last calendar day."""
    days: int | None = rule.params["days"]
    minutes: int | None = rule.params["minutes"]
    if minutes is not None:
        return now + minutes * _MINUTE
    if days is None:
        return None
    if rule.params["count"] == "calendar":
        today = now.astimezone(zone).date()
        return hours.midnight(today + timedelta(days=days + 1), zone)
    return now + timedelta(days=days)


def _series_horizon(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    days = rule.params["days"]
    if days is None or case.series_last is None:
        return
    latest = case.now + timedelta(days=days)
    if case.series_last > latest:
        yield bench.broken(
            rule, "until", days, latest,
            f"系列最多提前 {days} 天", f"A series reaches at most {days} days ahead",
        )  # fmt: skip


def _bookable(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    """What stands beside the main space may be such as nobody books by itself."""
    if place is case.main and not place.bookable:
        yield bench.broken(
            rule, "space", False, None,
            "该空间不可按时预订", "This space cannot be booked",
        )  # fmt: skip


def _capacity(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    """The main space holds the people; a make-up room beside it need not hold them all."""
    most = own(rule.params["people"], place.capacity)
    if place is case.main and (case.headcount < 1 or (most is not None and case.headcount > most)):
        yield bench.broken(
            rule, "headcount", most, 1 if case.headcount < 1 else most,
            f"人数须为 1 至 {most}", f"Between 1 and {most} people",
        )  # fmt: skip


def _units(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    most = place.unit_count or 1
    if place is case.main and not 1 <= case.units <= most:
        yield bench.broken(
            rule, "units", most, 1 if case.units < 1 else most,
            f"数量须为 1 至 {most}", f"Between 1 and {most} units",
        )  # fmt: skip


def _suspended(rule: Rule, case: Case, place: Place, bench: Bench) -> Iterator[Broken]:
    """P14, the compliance gate of the policies: rating D suspends booking."""
    renter, ratings = case.renter, rule.params["ratings"]
    closed = rule.params["inactive"] and not renter.active
    if closed or renter.rating in ratings:
        limit = next((r for r in "DCBA" if r not in ratings), None)
        yield bench.broken(
            rule, "tenant", limit, None,
            f"合规评级为 {renter.rating} 或账户停用,暂停预订(P14)",
            f"Booking is suspended (rating {renter.rating} or account closed, policy P14)",
        )  # fmt: skip


def own(value: Any, figure: int) -> Any:
    """The figure of the space, where the rule says "own"."""
    return figure if value == OWN else value


def length_text(minutes: int) -> tuple[str, str]:
    """A length for people, in whole hours where it is one."""
    if minutes and minutes % 60 == 0:
        hour = minutes // 60
        return f"{hour} 小时", f"{hour} hours"
    return f"{minutes} 分钟", f"{minutes} minutes"


BESIDE = frozenset({"step", "max_length", "opening_hours"})
"""What a space must keep that is taken for a time of its own beside the main one."""

# In the order in which a refusal names them: time, room, renter.
CHECKS: dict[str, Check] = {
    "not_in_past": _not_in_past,
    "step": _step,
    "min_length": _min_length,
    "max_length": _max_length,
    "max_days": _max_days,
    "opening_hours": _opening_hours,
    "min_notice": _min_notice,
    "change_cutoff": _change_cutoff,
    "horizon": _horizon,
    "series_horizon": _series_horizon,
    "bookable": _bookable,
    "capacity": _capacity,
    "units": _units,
    "suspended": _suspended,
}
