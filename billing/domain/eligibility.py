"""Whether a policy applies to a situation, and if not why, in words a tenant understands.

Terms about a piece of time (`band`, `surge`) narrow what a policy covers; they are judged where
the pieces are, in discounts.py. What is said is made once for each policy, not for each booking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from billing.domain import words
from billing.domain.policies import Policy
from billing.domain.policylang import conditions
from billing.domain.policylang.conditions import Condition
from billing.domain.policylang.situations import facts_of
from billing.domain.policylang.steps import Meter
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
        return _other_space(policy.space_types)
    for check, wanted in _checks(policy):
        if found := check(wanted, situation):
            return found
    if policy.when is not None and (found := _of_language(policy.when, situation)):
        return found
    if policy.approval_required and policy.code not in situation.approvals:
        return _NOT_APPROVED
    return None


def _of_language(when: Condition, situation: Situation) -> Refusal | None:
    """What the policy asks beyond the checks here, in the words of the language."""
    judged = conditions.judge(when, facts_of(situation), (), Meter())
    if judged.holds:
        return None
    unlock = next((short.unlock for short in judged.short if short.unlock), None)
    reasons = [short.reason for short in judged.short]
    return Refusal(Bi("；".join(r.zh for r in reasons), "; ".join(r.en for r in reasons)), unlock)


@lru_cache(maxsize=1024)
def _checks(policy: Policy) -> tuple[tuple[Check, Any], ...]:
    """The conditions of a policy in order, with what each wants; lists of codes as tuples."""
    return tuple(
        (CHECKS[term], tuple(wanted) if isinstance(wanted, list) else wanted)
        for term, wanted in sorted(policy.eligibility.items())
        if term in CHECKS
    )


@lru_cache(maxsize=1024)
def _other_space(space_types: frozenset[str]) -> Refusal:
    names = words.listed(space_types, words.SPACE_TYPES)
    return Refusal(
        Bi(f"不适用于该类空间（仅限{names.zh}）", f"not for this kind of space (only {names.en})")
    )


_NOT_APPROVED = Refusal(
    Bi("尚未通过审批", "not approved yet"),
    Bi("提交申报材料并通过审批", "file the documents and get approval"),
)


def _months(limit: Any, at: Situation) -> Refusal | None:
    if at.months_since_join < int(limit):
        return None
    return _months_text(limit)


@lru_cache(maxsize=1024)
def _months_text(limit: Any) -> Refusal:
    return Refusal(
        Bi(f"入驻已满{limit}个月", f"joined {limit} months ago or longer"),
    )


def _registered(_: Any, at: Situation) -> Refusal | None:
    if at.registered:
        return None
    return _registered_text()


@lru_cache(maxsize=1024)
def _registered_text() -> Refusal:
    return Refusal(
        Bi("注册地不在番禺区", "not registered in Panyu"),
        Bi("将注册地迁入番禺区", "move the registration to Panyu"),
    )


def _rating(wanted: Any, at: Situation) -> Refusal | None:
    if at.rating in wanted:
        return None
    return _rating_text(wanted, at.rating)


@lru_cache(maxsize=1024)
def _rating_text(wanted: tuple[str, ...], rating: str) -> Refusal:
    grades = "/".join(wanted)
    return Refusal(
        Bi(f"合规评级为{rating}级，需{grades}级", f"rated {rating}; needs {grades}"),
        Bi(f"合规评级达到{wanted[-1]}级", f"reach rating {wanted[-1]}"),
    )


def _mode(wanted: Any, at: Situation) -> Refusal | None:
    if at.mode == wanted:
        return None
    return _mode_text(wanted)


@lru_cache(maxsize=1024)
def _mode_text(wanted: Any) -> Refusal:
    zh, en = (
        ("长租", "monthly leases") if wanted == "monthly" else ("按小时预订", "hourly bookings")
    )
    return Refusal(Bi(f"仅适用于{zh}", f"only for {en}"))


def _category(wanted: Any, at: Situation) -> Refusal | None:
    if at.category in wanted:
        return None
    return _category_text(wanted)


@lru_cache(maxsize=1024)
def _category_text(wanted: tuple[str, ...]) -> Refusal:
    names = words.listed(wanted, words.CATEGORIES)
    return Refusal(Bi(f"租户类别不符（仅限{names.zh}）", f"only for {names.en}"))


def _tags(wanted: Any, at: Situation) -> Refusal | None:
    if at.tags & set(wanted):
        return None
    return _tags_text(wanted)


@lru_cache(maxsize=1024)
def _tags_text(wanted: tuple[str, ...]) -> Refusal:
    names = words.listed(wanted, words.TAGS)
    return Refusal(Bi(f"未认定为{names.zh}", f"not recognised as {names.en}"))


def _filed(_: Any, at: Situation) -> Refusal | None:
    if at.programme_filed:
        return None
    return _filed_text()


@lru_cache(maxsize=1024)
def _filed_text() -> Refusal:
    return Refusal(
        Bi("培训班未备案", "no training programme on file"),
        Bi("提交开班备案", "file the training programme"),
    )


def _purpose(wanted: Any, at: Situation) -> Refusal | None:
    if at.purpose in wanted:
        return None
    return _purpose_text(wanted)


@lru_cache(maxsize=1024)
def _purpose_text(wanted: tuple[str, ...]) -> Refusal:
    names = words.listed(wanted, words.PURPOSES)
    return Refusal(
        Bi(f"用途不符（仅限{names.zh}）", f"another purpose (only {names.en})"),
        Bi(f"预订用途为{names.zh}", f"book for {names.en}"),
    )


def _hours(wanted: Any, at: Situation) -> Refusal | None:
    missing = int(wanted) * 2 - at.month_half_hours
    if missing <= 0:
        return None
    return _hours_text(wanted, missing)


@lru_cache(maxsize=1024)
def _hours_text(wanted: Any, missing: int) -> Refusal:
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
    return _agreement_text()


@lru_cache(maxsize=1024)
def _agreement_text() -> Refusal:
    return Refusal(
        Bi("未签署共建协议", "no co-building agreement"),
        Bi("签署共建协议", "sign the co-building agreement"),
    )


def _industry(wanted: Any, at: Situation) -> Refusal | None:
    if at.industry in wanted:
        return None
    return _industry_text(wanted)


@lru_cache(maxsize=1024)
def _industry_text(wanted: tuple[str, ...]) -> Refusal:
    names = words.listed(wanted, words.INDUSTRIES)
    return Refusal(Bi(f"行业不符（仅限{names.zh}）", f"only for {names.en}"))


def _gmv(wanted: Any, at: Situation) -> Refusal | None:
    if at.annual_gmv_yuan >= Decimal(str(wanted)):
        return None
    return _gmv_text(wanted)


@lru_cache(maxsize=1024)
def _gmv_text(wanted: Any) -> Refusal:
    yi = Decimal(str(wanted)) / 10**8
    text = f"{yi.normalize():f}"
    return Refusal(
        Bi(f"年销售额未达{text}亿元", f"annual sales below CNY {wanted}"),
        Bi("提交经审计的销售额证明", "hand in audited sales figures"),
    )


def _joint(wanted: Any, at: Situation) -> Refusal | None:
    if wanted in (at.category, at.partner_category):
        return None
    return _joint_text()


@lru_cache(maxsize=1024)
def _joint_text() -> Refusal:
    return Refusal(
        Bi("不是区属MCN联动专场", "not a joint session with a district MCN"),
        Bi("与区属MCN联合开播", "stream together with a district MCN"),
    )


def _partner(wanted: Any, at: Situation) -> Refusal | None:
    if at.partner_category is not None and {at.category, at.partner_category} & set(wanted):
        return None
    return _partner_text(wanted)


@lru_cache(maxsize=1024)
def _partner_text(wanted: tuple[str, ...]) -> Refusal:
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
