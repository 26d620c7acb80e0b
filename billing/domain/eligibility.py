"""Whether a policy applies to a situation, and if not why, in words a tenant understands.

Terms about a piece of time (`band`, `surge`) narrow what a policy covers; they are judged where
the pieces are, in discounts.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import words
from billing.domain.policies import Policy
from billing.domain.situation import Situation
from billing.domain.texts import Bi, hours_text


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a policy does not apply, and what would change that."""

    reason: Bi
    unlock: Bi | None = None


Check = Callable[[Any, Situation], Refusal | None]


def refusal(policy: Policy, situation: Situation) -> Refusal | None:
    """The first reason why the policy does not apply, or None when it does."""
    if policy.space_types is not None and situation.space_type not in policy.space_types:
        names = words.listed(policy.space_types, words.SPACE_TYPES)
        return Refusal(
            Bi(
                f"不适用于该类空间（仅限{names.zh}）",
                f"not for this kind of space (only {names.en})",
            )
        )
    for term, wanted in sorted(policy.eligibility.items()):
        check = CHECKS.get(term)
        if check and (found := check(wanted, situation)):
            return found
    if policy.approval_required and policy.code not in situation.approvals:
        return Refusal(
            Bi("尚未通过审批", "not approved yet"),
            Bi("提交申报材料并通过审批", "file the documents and get approval"),
        )
    return None


def _months(limit: Any, at: Situation) -> Refusal | None:
    if at.months_since_join < int(limit):
        return None
    return Refusal(
        Bi(f"入驻已满{limit}个月", f"joined {limit} months ago or longer"),
    )


def _registered(_: Any, at: Situation) -> Refusal | None:
    if at.registered:
        return None
    return Refusal(
        Bi("注册地不在番禺区", "not registered in Panyu"),
        Bi("将注册地迁入番禺区", "move the registration to Panyu"),
    )


def _rating(wanted: Any, at: Situation) -> Refusal | None:
    if at.rating in wanted:
        return None
    grades = "/".join(wanted)
    return Refusal(
        Bi(f"合规评级为{at.rating}级，需{grades}级", f"rated {at.rating}; needs {grades}"),
        Bi(f"合规评级达到{wanted[-1]}级", f"reach rating {wanted[-1]}"),
    )


def _mode(wanted: Any, at: Situation) -> Refusal | None:
    if at.mode == wanted:
        return None
    zh, en = (
        ("长租", "monthly leases") if wanted == "monthly" else ("按小时预订", "hourly bookings")
    )
    return Refusal(Bi(f"仅适用于{zh}", f"only for {en}"))


def _category(wanted: Any, at: Situation) -> Refusal | None:
    if at.category in wanted:
        return None
    names = words.listed(wanted, words.CATEGORIES)
    return Refusal(Bi(f"租户类别不符（仅限{names.zh}）", f"only for {names.en}"))


def _tags(wanted: Any, at: Situation) -> Refusal | None:
    if at.tags & set(wanted):
        return None
    names = words.listed(wanted, words.TAGS)
    return Refusal(Bi(f"未认定为{names.zh}", f"not recognised as {names.en}"))


def _filed(_: Any, at: Situation) -> Refusal | None:
    if at.programme_filed:
        return None
    return Refusal(
        Bi("培训班未备案", "no training programme on file"),
        Bi("提交开班备案", "file the training programme"),
    )


def _purpose(wanted: Any, at: Situation) -> Refusal | None:
    if at.purpose in wanted:
        return None
    names = words.listed(wanted, words.PURPOSES)
    return Refusal(
        Bi(f"用途不符（仅限{names.zh}）", f"another purpose (only {names.en})"),
        Bi(f"预订用途为{names.zh}", f"book for {names.en}"),
    )


def _hours(wanted: Any, at: Situation) -> Refusal | None:
    missing = int(wanted) * 2 - at.month_half_hours
    if missing <= 0:
        return None
    return Refusal(
        Bi(f"本月用量不足{wanted}小时", f"less than {wanted} h used this month"),
        more_hours(missing),
    )


def more_hours(half_hours: int) -> Bi:
    """What unlocks a rule about monthly use."""
    hours = hours_text(half_hours)
    return Bi(f"本月再使用{hours}小时", f"use {hours} h more this month")


def _agreement(_: Any, at: Situation) -> Refusal | None:
    if at.agreement:
        return None
    return Refusal(
        Bi("未签署共建协议", "no co-building agreement"),
        Bi("签署共建协议", "sign the co-building agreement"),
    )


def _industry(wanted: Any, at: Situation) -> Refusal | None:
    if at.industry in wanted:
        return None
    names = words.listed(wanted, words.INDUSTRIES)
    return Refusal(Bi(f"行业不符（仅限{names.zh}）", f"only for {names.en}"))


def _gmv(wanted: Any, at: Situation) -> Refusal | None:
    if at.annual_gmv_yuan >= Decimal(str(wanted)):
        return None
    yi = Decimal(str(wanted)) / 10**8
    text = f"{yi.normalize():f}"
    return Refusal(
        Bi(f"年销售额未达{text}亿元", f"annual sales below CNY {wanted}"),
        Bi("提交经审计的销售额证明", "hand in audited sales figures"),
    )


def _joint(wanted: Any, at: Situation) -> Refusal | None:
    if wanted in (at.category, at.partner_category):
        return None
    return Refusal(
        Bi("不是区属MCN联动专场", "not a joint session with a district MCN"),
        Bi("与区属MCN联合开播", "stream together with a district MCN"),
    )


def _partner(wanted: Any, at: Situation) -> Refusal | None:
    if at.partner_category is not None and {at.category, at.partner_category} & set(wanted):
        return None
    names = words.listed(wanted, words.CATEGORIES)
    return Refusal(
        Bi("没有登记联动伙伴", "no joint partner registered"),
        Bi(f"与{names.zh}联合登记场次", f"register the session with a partner: {names.en}"),
    )


CHECKS: dict[str, Check] = {
    "months_since_join_lt": _months,
    "registered_in_panyu": _registered,
    "rating_in": _rating,
    "booking_mode": _mode,
    "category_in": _category,
    "tag_any": _tags,
    "programme_filed": _filed,
    "purpose_in": _purpose,
    "hours_month_ge": _hours,
    "agreement": _agreement,
    "industry_in": _industry,
    "annual_gmv_ge": _gmv,
    "joint_with_category": _joint,
    "partner_category_in": _partner,
}
