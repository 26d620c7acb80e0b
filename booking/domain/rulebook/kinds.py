"""Every kind of rule: its parameters, and whether one wins or all apply."""

from dataclasses import dataclass

from booking.domain.rulebook import params as p
from booking.domain.rulebook.params import Param

RATINGS = ("A", "B", "C", "D")
PERIODS = ("day", "week", "month", "year")
WAIVERS = ("manager", "finance", "admin")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rule.

    Args:
        code: its name in documents.
        zh: its name for people.
        en: its name for people.
        params: what it takes.
        all_apply: every rule that fits applies (quotas); otherwise only the most specific one.
        waivable: whether anybody may be allowed to override it.
    """

    code: str
    zh: str
    en: str
    params: tuple[Param, ...] = ()
    all_apply: bool = False
    waivable: bool = True


_MINUTES = p.whole(0, p.YEAR_MIN, null=True)
_COUNTING = Param("counting", p.choice("scope", "shared"), "scope")
_PERIODIC = (
    Param("period", p.choice(*PERIODS)),
    _COUNTING,
    Param("week_starts_on", p.choice(*p.WEEKDAYS), None),
    Param("between", p.between, None),
    Param("weekdays", p.words(p.WEEKDAYS, least=1), p.WEEKDAYS),
    Param("past_counts", p.flag, True),
)
_MOST = Param("most", p.whole(0, 100_000, null=True))

_ALL = (
    Kind("bookable", "可预订", "Bookable", waivable=False),
    Kind(
        "not_in_past", "不得早于现在", "Not in the past",
        (Param("tolerance_min", p.whole(0, p.DAY_MIN, own=True), p.OWN),),
    ),
    Kind(
        "opening_hours", "开放时间", "Opening hours",
        (Param("week", p.week), Param("dates", p.dates, {})),
    ),
    Kind("step", "时间步长", "Grid of times", (Param("minutes", p.step),)),
    Kind(
        "min_length", "最短时长", "Minimum length",
        (Param("minutes", p.whole(0, p.YEAR_MIN, null=True, own=True)),),
    ),
    Kind(
        "max_length", "最长时长", "Maximum length",
        (Param("minutes", p.whole(1, p.YEAR_MIN, null=True)),),
    ),
    Kind(
        "max_days", "跨日限制", "Calendar days touched",
        (Param("days", p.whole(1, 366, null=True)),),
    ),
    Kind("min_notice", "最短提前量", "Minimum notice", (Param("minutes", _MINUTES),)),
    Kind("change_cutoff", "改期截止", "Cut-off for changes", (Param("minutes", _MINUTES),)),
    Kind("cancel_cutoff", "取消截止", "Cut-off for cancelling", (Param("minutes", _MINUTES),)),
    Kind(
        "horizon", "最长提前量", "Advance window",
        (
            Param("days", p.whole(0, 3660, null=True), None),
            Param("minutes", _MINUTES, None),
            Param("count", p.choice("exact", "calendar"), "exact"),
            Param("measured_at", p.choice("start", "end"), "start"),
        ),
    ),
    Kind(
        "series_horizon", "系列最长提前量", "Advance window of a series",
        (Param("days", p.whole(0, 3660, null=True)),),
    ),
    Kind(
        "capacity", "人数上限", "Headcount",
        (Param("people", p.whole(1, 100_000, null=True, own=True)),),
    ),
    Kind("units", "数量", "Units", waivable=False),
    Kind(
        "suspended", "暂停预订", "Suspended",
        (
            Param("ratings", p.words(RATINGS), ()),
            Param("inactive", p.flag, True),
        ),
    ),
    Kind("prepaid", "仅限预付", "Prepaid only", (Param("only", p.flag, True),)),
    Kind(
        "credit_limit", "信用额度", "Credit limit",
        (Param("limit_fen", p.whole(0, 10**13, null=True, own=True)),),
    ),
    Kind("hold_ttl", "占位时长", "Life of a hold", (Param("minutes", p.whole(1, p.DAY_MIN)),)),
    Kind(
        "check_in", "签到", "Check-in",
        (
            Param("needed", p.flag, True),
            Param("opens_min", p.whole(0, p.DAY_MIN, own=True), p.OWN),
            Param("grace_min", p.whole(0, p.DAY_MIN, null=True)),
        ),
    ),
    Kind(
        "required_documents", "所需证件", "Required documents",
        (Param("documents", p.words(least=1, most=50)),), all_apply=True,
    ),
    Kind(
        "approval", "需审批", "Approval needed",
        (
            Param("over_minutes", p.whole(0, p.YEAR_MIN, null=True), None),
            Param("over_people", p.whole(0, 100_000, null=True), None),
        ),
        all_apply=True, waivable=False,
    ),
    Kind(
        "hours_quota", "时长配额", "Hours per period",
        (Param("minutes", p.whole(0, p.YEAR_MIN * 100, null=True)), *_PERIODIC), all_apply=True,
    ),
    Kind("count_quota", "次数配额", "Bookings per period", (_MOST, *_PERIODIC), all_apply=True),
    Kind(
        "concurrent", "同时预订数", "Bookings at the same time",
        (_MOST, _COUNTING), all_apply=True,
    ),
    Kind(
        "venue_concurrent", "全场同时预订数", "Bookings at the same time, all tenants",
        (_MOST, _COUNTING), all_apply=True,
    ),
)  # fmt: skip
KINDS = {kind.code: kind for kind in _ALL}
