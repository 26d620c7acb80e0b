"""The checks that need facts from elsewhere: quotas, crowds, documents, money, approval."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from booking.domain.grid import floor_to_grid
from booking.domain.rulebook import quotas
from booking.domain.rulebook.facts import Ask, Case, Crowd, Usage
from booking.domain.rulebook.judging import Bench, length_text, own
from booking.domain.rulebook.reading import Rule
from booking.domain.rulebook.verdict import Broken

PERIODS_ZH = {"day": "每日", "week": "每周", "month": "每月", "year": "每年"}


def quota(rule: Rule, asked: Ask, case: Case, usage: Usage, bench: Bench) -> Iterator[Broken]:
    """What is broken in one period: accepted is an earlier end, or a start after the period."""
    if not quotas.exceeds(rule, asked, case, usage):
        return
    left = quotas.left_seconds(rule, asked, usage)
    end = floor_to_grid(quotas.latest_end(asked, case.span, left), case.main.slot_min)
    limit = rule.params["minutes" if rule.kind == "hours_quota" else "most"]
    if end > case.span.start:
        field, accepted = "ends_at", end
    else:
        field, accepted = "starts_at", quotas.period_end(asked)
    zh, en = quota_text(rule)
    spare = max(left, 0) // 60
    zh, en = f"{zh}(自 {asked.label} 起)", f"{en} (period from {asked.label})"
    if rule.kind == "hours_quota":
        spare = max(left, 0) // 60
        zh, en = f"{zh},尚余 {spare} 分钟", f"{en}, {spare} minutes left"
    yield bench.broken(rule, field, limit, accepted if limit else None, zh, en)


def quota_text(rule: Rule) -> tuple[str, str]:
    """What a quota allows."""
    period = rule.params["period"]
    if rule.kind == "hours_quota":
        zh, en = length_text(rule.params["minutes"])
        return f"{PERIODS_ZH[period]}至多 {zh}", f"At most {en} per {period}"
    most = rule.params["most"]
    return f"{PERIODS_ZH[period]}至多 {most} 次", f"At most {most} bookings per {period}"


def crowd(rule: Rule, asked: Crowd, case: Case, usage: Usage, bench: Bench) -> Iterator[Broken]:
    """What is broken by too many at once: accepted is the part of the wish that would do."""
    most, weight = rule.params["most"], quotas.own_weight(asked, case)
    if len(usage.around[asked]) + weight <= most:
        return  # not even if all of them were there at the same instant
    levels = quotas.crowd_levels(asked, usage)
    if max(level for _, level in levels) + weight <= most:
        return
    part = quotas.free_part(asked, usage, room=most - weight)
    field, accepted = "starts_at", None
    if part is not None and part[0] <= case.span.start:
        field, accepted = "ends_at", part[1]
    elif part is not None and part[1] >= case.span.end:
        accepted = part[0]
    zh, en = crowd_text(rule)
    yield bench.broken(rule, field, most, accepted, zh, en)


def crowd_text(rule: Rule) -> tuple[str, str]:
    """What a limit of simultaneous bookings allows."""
    most = rule.params["most"]
    if rule.kind == "venue_concurrent":
        return f"全场同时至多 {most} 个预订", f"At most {most} bookings at once in the whole venue"
    return f"同一租户同时至多 {most} 个预订", f"At most {most} bookings of one tenant at once"


def documents(rule: Rule, case: Case, usage: Usage, bench: Bench) -> Iterator[Broken]:
    """Documents that are missing, or run out before the booking ends."""
    last = last_day(case, bench)
    missing = [
        name
        for name in rule.params["documents"]
        if not (
            good_until(case.renter.evidence, name, last) or good_until(usage.evidence, name, last)
        )
    ]
    if missing:
        names = ", ".join(missing)
        yield bench.broken(
            rule, "tenant", list(rule.params["documents"]), missing,
            f"缺少证件:{names}", f"Documents missing: {names}",
        )  # fmt: skip


def last_day(case: Case, bench: Bench) -> date:
    """The last local day that the booking touches."""
    return (case.span.end - timedelta(microseconds=1)).astimezone(bench.zone).date()


def good_until(evidence: Mapping[str, date | None], name: str, day: date) -> bool:
    """Whether the document is there and good for that day."""
    return name in evidence and ((last := evidence[name]) is None or last >= day)


def money(rule: Rule, case: Case, usage: Usage, bench: Bench) -> Iterator[Broken]:
    """Credit or prepayment that the price would go beyond; no price, no verdict."""
    limit = money_limit(rule, case)
    if limit is None or case.price_fen is None:
        return
    left = max(limit - usage.exposure_fen, 0)
    if case.price_fen > left:
        zh, en = (
            ("预付余额不足", "Not enough is prepaid")
            if rule.kind == "prepaid"
            else ("超出信用额度", "Beyond the credit limit")
        )
        yield bench.broken(
            rule, "price_fen", limit, left,
            f"{zh}:尚余 {left / 100:.2f} 元,需 {case.price_fen / 100:.2f} 元",
            f"{en}: CNY {left / 100:.2f} left, {case.price_fen / 100:.2f} needed",
        )  # fmt: skip


def money_limit(rule: Rule, case: Case) -> int | None:
    """How much may be owed, in fen; None: the rule does not limit it."""
    if rule.kind == "prepaid":
        return case.renter.prepaid_fen if rule.params["only"] else None
    limit: int | None = own(rule.params["limit_fen"], case.renter.credit_limit_fen)
    return limit


def asks_approval(rule: Rule, case: Case) -> bool:
    """Whether this booking must be approved: always, or beyond the rule's length or headcount."""
    minutes, people = rule.params["over_minutes"], rule.params["over_people"]
    if minutes is None and people is None:
        return True
    longer = minutes is not None and case.span.length.total_seconds() > minutes * 60
    return longer or (people is not None and case.headcount > people)
