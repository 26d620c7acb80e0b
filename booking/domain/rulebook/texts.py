"""Rules in words, Chinese first: what each allows, for whom, and what a limit is in one space."""

from collections.abc import Callable, Mapping
from typing import Any

from booking.domain.rulebook import quotas, using
from booking.domain.rulebook.judging import length_text
from booking.domain.rulebook.kinds import KINDS
from booking.domain.rulebook.params import OWN, WEEKDAYS
from booking.domain.rulebook.reading import Rule

Bi = tuple[str, str]
WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def describe(rule: Rule) -> Bi:
    """What the rule says, with its note."""
    params = rule.params
    zh, en = _WORDS[rule.kind](params) if rule.kind in _WORDS else _of_use(rule)
    if rule.note_zh:
        zh = f"{zh}({rule.note_zh})"
    return zh, f"{en} ({rule.note_en})" if rule.note_en else en


def _of_use(rule: Rule) -> Bi:
    """Quotas and crowds, which say the same when they are broken."""
    limit = rule.params["minutes" if rule.kind == "hours_quota" else "most"]
    if limit is None:
        kind = KINDS[rule.kind]
        return f"{kind.zh}:不限", f"{kind.en}: no limit"
    zh, en = using.quota_text(rule) if rule.kind in quotas.PERIODIC else using.crowd_text(rule)
    if rule.params["counting"] == "shared":
        return f"{zh}(只计所订空间)", f"{en} (of the space that is booked)"
    return zh, en


def _minutes(before_zh: str, before_en: str) -> Callable[[Mapping[str, Any]], Bi]:
    """Words for a kind with one length."""

    def words(params: Mapping[str, Any]) -> Bi:
        match params["minutes"]:
            case None:
                return f"{before_zh}:不限", f"{before_en}: no limit"
            case minutes if minutes == OWN:
                return f"{before_zh}:按空间类型", f"{before_en}: as the kind of space says"
            case minutes:
                zh, en = length_text(minutes)
                return f"{before_zh}:{zh}", f"{before_en}: {en}"

    return words


def _hours(params: Mapping[str, Any]) -> Bi:
    always = all(day == ((0, 1440),) for day in params["week"])
    if always and not params["dates"]:
        return "全天开放", "Open around the clock"
    days = [_openings(openings) for openings in params["week"]]
    named = list(zip(WEEKDAYS_ZH, WEEKDAYS, days, strict=True))
    zh = ";".join(f"{day} {text or '不开放'}" for day, _, text in named)
    en = "; ".join(f"{day} {text or 'closed'}" for _, day, text in named)
    for day, openings in sorted(params["dates"].items()):
        text = _openings(openings)
        zh, en = f"{zh};{day} {text or '不开放'}", f"{en}; {day} {text or 'closed'}"
    return f"开放时间:{zh}", f"Open: {en}"


def _openings(openings: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(
        f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
        for start, end in openings
    )


def _horizon(params: Mapping[str, Any]) -> Bi:
    if params["minutes"] is not None:
        zh, en = length_text(params["minutes"])
    elif params["days"] is not None:
        zh, en = f"{params['days']} 天", f"{params['days']} days"
    else:
        return "最长提前量:不限", "Advance window: no limit"
    if params["count"] == "calendar":
        zh, en = f"{zh}(按自然日)", f"{en} (calendar days)"
    return f"最多提前 {zh}预订", f"At most {en} ahead"


def _series(params: Mapping[str, Any]) -> Bi:
    if (days := params["days"]) is None:
        return "系列最长提前量:不限", "Advance window of a series: no limit"
    return f"系列最多提前 {days} 天", f"A series reaches at most {days} days ahead"


def _max_days(params: Mapping[str, Any]) -> Bi:
    if (days := params["days"]) is None:
        return "可跨日", "May cross midnight"
    return f"至多跨 {days} 个自然日", f"Within {days} calendar day(s)"


def _capacity(params: Mapping[str, Any]) -> Bi:
    match params["people"]:
        case None:
            return "人数不限", "Any number of people"
        case people if people == OWN:
            return "人数不超过空间容量", "No more people than the space holds"
        case people:
            return f"至多 {people} 人", f"At most {people} people"


def _suspended(params: Mapping[str, Any]) -> Bi:
    ratings = "、".join(params["ratings"])
    zh = [f"评级 {ratings}"] if ratings else []
    en = [f"rating {', '.join(params['ratings'])}"] if ratings else []
    if params["inactive"]:
        zh, en = [*zh, "账户停用"], [*en, "closed accounts"]
    return f"暂停预订:{'、'.join(zh) or '无'}", f"Booking suspended: {', '.join(en) or 'nobody'}"


def _prepaid(params: Mapping[str, Any]) -> Bi:
    return ("仅限预付", "Prepaid only") if params["only"] else ("可后付", "May pay later")


def _credit(params: Mapping[str, Any]) -> Bi:
    match params["limit_fen"]:
        case None:
            return "信用额度不限", "No credit limit"
        case limit if limit == OWN:
            return "不超过租户的信用额度", "Within the tenant's credit limit"
        case limit:
            return f"信用额度 {limit / 100:.2f} 元", f"Credit limit CNY {limit / 100:.2f}"


def _check_in(params: Mapping[str, Any]) -> Bi:
    if not params["needed"]:
        return "无需签到", "No check-in"
    grace = params["grace_min"]
    if grace is None:
        return "需签到,不释放", "Check-in; the room is never given away"
    return (
        f"开始后 {grace} 分钟内未签到即释放",
        f"Given away without check-in {grace} minutes after the start",
    )


def _documents(params: Mapping[str, Any]) -> Bi:
    names = ", ".join(params["documents"])
    return f"须提供证件:{names}", f"Documents required: {names}"


def _approval(params: Mapping[str, Any]) -> Bi:
    zh, en = [], []
    if params["over_minutes"] is not None:
        length_zh, length_en = length_text(params["over_minutes"])
        zh.append(f"超过 {length_zh}")
        en.append(f"longer than {length_en}")
    if params["over_people"] is not None:
        zh.append(f"超过 {params['over_people']} 人")
        en.append(f"more than {params['over_people']} people")
    if not zh:
        return "需基地审批", "Needs the base's approval"
    return f"{'或'.join(zh)}需基地审批", f"Needs approval when {' or '.join(en)}"


def _tolerance(params: Mapping[str, Any]) -> Bi:
    if params["tolerance_min"] == OWN:
        return "不得早于当前时段", "Not before the current step of the grid"
    zh, en = length_text(params["tolerance_min"])
    return f"开始时间不得早于现在(容许 {zh})", f"Not in the past (tolerance {en})"


_WORDS: dict[str, Callable[[Mapping[str, Any]], Bi]] = {
    "bookable": lambda _: ("仅限可预订空间", "Only spaces that can be booked"),
    "not_in_past": _tolerance,
    "opening_hours": _hours,
    "step": _minutes("时间步长", "Grid of times"),
    "min_length": _minutes("最短时长", "Minimum length"),
    "max_length": _minutes("最长时长", "Maximum length"),
    "max_days": _max_days,
    "min_notice": _minutes("最短提前量", "Minimum notice"),
    "change_cutoff": _minutes("改期须提前", "Changes at least ahead"),
    "cancel_cutoff": _minutes("取消须提前", "Cancelling at least ahead"),
    "horizon": _horizon,
    "series_horizon": _series,
    "capacity": _capacity,
    "units": lambda _: ("数量不超过空间的单元数", "No more units than the space has"),
    "suspended": _suspended,
    "prepaid": _prepaid,
    "credit_limit": _credit,
    "hold_ttl": _minutes("占位时长", "A hold lives"),
    "check_in": _check_in,
    "required_documents": _documents,
    "approval": _approval,
}
