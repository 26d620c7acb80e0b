"""What the booking figures mean, and what of them may be shown without naming anybody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K")
FEWEST_TENANTS = 3


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure: its key among the base's KPIs, its meaning, its unit."""

    code: str
    kpi: str
    unit: str
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str


SOURCE = "SYS"
_OPEN_ZH = (
    "开放分钟为可预订空间按当日生效规则对公众开放的时间(按单元数计),扣除停用与长租;"
    "分子亦仅计开放时间之内"
)
_OPEN_EN = (
    "open minutes are those in which bookable spaces are open to anybody by the rules in force"
    " as the day begins, per unit, less blackouts and leases; what is divided by them lies in"
    " them too"
)

UTILISATION = Definition(
    "utilisation", "K02", "ratio", "时段利用率", "Utilisation by time band",
    "实际使用分钟(自签到起,不早于预订开始,至结束;同一预订另占的空间按其所订时段、至结束止)"
    f"÷ 开放分钟;{_OPEN_ZH}",
    "Minutes in use, from check-in but not before the booked start, to the end, and of spaces"
    " taken beside the room for as long as they were booked, up to the end, by open minutes;"
    f" {_OPEN_EN}",
)  # fmt: skip
BOOKED = Definition(
    "booked_ratio", "K04", "ratio", "预订率", "Booked ratio",
    "已确认、使用中、已完成与爽约预订的预订分钟(含同一预订另占的空间,不含布置与清场)"
    f"÷ 开放分钟;{_OPEN_ZH}",
    "Booked minutes, of the room and of spaces taken beside it, without setup and teardown, of"
    " bookings confirmed, in use, completed or not shown up for, by open minutes;"
    f" {_OPEN_EN}",
)  # fmt: skip
NO_SHOW = Definition(
    "no_show_rate", "K04", "ratio", "爽约率", "No-show rate",
    "期内开始的预订中:爽约 ÷(已完成 + 爽约)",
    "Of bookings that start in the period: no-shows by completed plus no-shows",
)  # fmt: skip
LEAD_MEDIAN = Definition(
    "lead_median_h", "", "hours", "提前预订时间中位数", "Lead time, median",
    "期内开始且曾确认的预订,从创建到开始的小时数之中位数;开始后补录的不计",
    "Median hours from creation to start of bookings that start in the period and were confirmed;"
    " those entered after their start are left out",
)  # fmt: skip
LEAD_P90 = Definition(
    "lead_p90_h", "", "hours", "提前预订时间九成分位", "Lead time, 90th percentile",
    "口径同中位数,取第 90 百分位",
    "As the median, at the 90th percentile",
)  # fmt: skip
CANCELLED = Definition(
    "cancellation_rate", "", "ratio", "取消率", "Cancellation rate",
    "期内开始的预订中:确认后取消 ÷(确认后取消 + 已确认、使用中、已完成与爽约)",
    "Of bookings that start in the period: cancelled after confirmation, by those plus bookings"
    " confirmed, in use, completed or not shown up for",
)  # fmt: skip
LENGTH = Definition(
    "average_length_min", "", "minutes", "平均预订时长", "Average length",
    "期内开始的已确认、使用中、已完成与爽约预订,预订时长的平均分钟数",
    "Mean booked minutes of bookings that start in the period and are confirmed, in use, completed"
    " or not shown up for",
)  # fmt: skip
SESSIONS = Definition(
    "sessions", "", "count", "场次与时长", "Sessions and hours",
    "期内开始且已签到的预订:场次,以及自签到(不早于预订开始)至结束的小时数;按空间类型与租户类别",
    "Bookings that start in the period and were checked in to: how many, and their hours from"
    " check-in but not before the booked start, to the end; by space type and tenant category",
)  # fmt: skip
REFUSALS = Definition(
    "refusals", "", "count", "各规则拒绝次数", "Refusals by rule",
    "期内(按拒绝当日)预订或询价因违反规则被拒的次数;一次请求违反几条规则即各计一次,重复请求重复计",
    "How often a booking or quote was refused in the period, by day of refusal; a request that"
    " breaks several rules counts for each, and repeating it counts again",
)  # fmt: skip


def suppressed(cells: Mapping[K, Collection[int]]) -> set[K]:
    """Which cells to hide so that none tells of fewer than three tenants.

    Args:
        cells: the tenants that each cell stands on; an empty cell tells of nobody.

    Returns:
        The cells of one or two tenants and, where these are together still fewer than three, the
        next smallest too: otherwise the total less what is shown would give them away.
    """
    small_first = sorted(
        (key for key, tenants in cells.items() if tenants),
        key=lambda key: (len(set(cells[key])), str(key)),
    )
    hidden: set[K] = set()
    behind: set[int] = set()
    for key in small_first:
        if len(set(cells[key])) >= FEWEST_TENANTS and (
            not hidden or len(behind) >= FEWEST_TENANTS
        ):
            break
        hidden.add(key)
        behind |= set(cells[key])
    return hidden
