"""The facts that rules may ask about: each has a type and a name in both languages.

Facts of tenants and bookings are known everywhere; a rule declares further ones of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from base_ops.core.months import add_months
from billing.domain.policylang import source
from billing.domain.policylang.source import Notes
from billing.domain.texts import Bi

KINDS: Final = ("number", "amount", "code", "codes", "flag", "day")
Value = Fraction | str | bool | date | frozenset[str]


@dataclass(frozen=True, slots=True)
class FactType:
    """What one fact is. Amounts are written in yuan and worked with in fen."""

    kind: str
    name: Bi


def _t(kind: str, zh: str, en: str) -> FactType:
    return FactType(kind, Bi(zh, en))


STANDARD: Final[Mapping[str, FactType]] = {
    "category": _t("code", "租户类别", "tenant category"),
    "rating": _t("code", "合规评级", "compliance rating"),
    "registered": _t("flag", "注册地在番禺区", "registered in Panyu"),
    "industry": _t("code", "行业", "industry"),
    "town": _t("code", "镇街", "town"),
    "tags": _t("codes", "认定标签", "recognition"),
    "months_since_join": _t("number", "入驻月数", "months since joining"),
    "booking_mode": _t("code", "使用方式", "kind of use"),
    "purpose": _t("code", "用途", "purpose"),
    "space_type": _t("code", "空间类型", "kind of space"),
    "month_hours": _t("number", "本月时数", "hours this month"),
    "agreement": _t("flag", "共建协议", "co-building agreement"),
    "programme_filed": _t("flag", "培训班备案", "training programme on file"),
    "joint_session": _t("flag", "联动专场", "joint session"),
    "joint_categories": _t("codes", "参与方类别", "categories of those who take part"),
    "partner_categories": _t("codes", "联动双方类别", "categories of both partners"),
    "annual_sales": _t("amount", "年销售额", "annual sales"),
    "on": _t("day", "使用日", "day of use"),
    "started_on": _t("day", "起始日", "first day"),
    "lease_year": _t("number", "租约年度", "year of the lease"),
    "months_since_start": _t("number", "起始以来月数", "months since the start"),
    "contract_months": _t("number", "合同月数", "months of the contract"),
    "filed_on": _t("day", "申报日", "day of filing"),
    "filed_month": _t("code", "申报月份", "month of filing"),
    "settled_year": _t("code", "落户年份", "year of settling"),
    "area_m2": _t("number", "面积(m²)", "area in m²"),
    "months": _t("number", "月数", "months"),
    "live_hours": _t("number", "直播时数", "live hours"),
    "followers": _t("number", "粉丝数", "followers"),
    "events": _t("number", "活动场次", "events"),
    "staff": _t("number", "员工数", "staff"),
    "studios": _t("number", "直播间数", "studios"),
    "tenants": _t("number", "入驻企业数", "firms"),
    "orders": _t("number", "订单数", "orders"),
    "growth_percent": _t("number", "增长率(%)", "growth in percent"),
    "sales": _t("amount", "销售额", "sales"),
    "sales_before": _t("amount", "上年销售额", "sales of the year before"),
    "monthly_sales": _t("amount", "月销售额", "sales a month"),
    "service_income": _t("amount", "服务收入", "service income"),
    "capital": _t("amount", "注册资本", "registered capital"),
    "rent": _t("amount", "租金", "rent"),
    "property_fee": _t("amount", "物业费", "property fee"),
    "rent_paid": _t("amount", "实付租金", "rent that was paid"),
    "spend": _t("amount", "实际支出", "what was really spent"),
    "score": _t("number", "评分", "score"),
    "rank": _t("number", "名次", "rank"),
    "outage_min": _t("number", "中断分钟数", "minutes of outage"),
    "surge": _t("flag", "大促日", "surge day"),
}


def declared(data: object, notes: Notes) -> Mapping[str, FactType]:
    """The standard facts and those that a rule declares of its own."""
    own: dict[str, FactType] = {}
    rows = source.mapping({} if data is None else data, "facts", notes)
    for name, row in rows.items():
        path = f"facts.{name}"
        entry = source.mapping(row, path, notes)
        source.known(entry, ("kind", "zh", "en"), path, notes)
        source.code(name, path, notes)
        if name in STANDARD:
            notes.fault(path, "该事实已是标准事实", "this is a standard fact already")
        own[name] = FactType(
            source.one_of(entry.get("kind"), KINDS, f"{path}.kind", notes),
            Bi(
                source.text(entry.get("zh"), f"{path}.zh", notes, most=40),
                source.text(entry.get("en"), f"{path}.en", notes, most=80),
            ),
        )
    return {**STANDARD, **own}


@dataclass(frozen=True, slots=True)
class Spent:
    """One proven cost: its class, its day and its amount in fen."""

    kind: str
    on: date
    fen: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the same person or premises had before, perhaps under another name."""

    key: str
    value: str
    started_on: date
    tenant: str = ""
    granted_fen: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known when a rule is judged: no clock, no database.

    `identity` names who claims by `person`, `premises` and the like; `used_fen` is what each kind
    of cap has given before; `budget_left_fen` is None without a budget.
    """

    facts: Mapping[str, Value]
    spent: Sequence[Spent] = ()
    related: Sequence[Mapping[str, Value]] = ()
    evidence: frozenset[str] = frozenset()
    identity: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Earlier] = ()
    used_fen: Mapping[str, int] = field(default_factory=dict)
    budget_left_fen: int | None = None
    approved: bool = False


def value(kind: str, data: object, path: str, notes: Notes) -> Value:
    """A fact out of JSON, as its type wants it."""
    match kind:
        case "number":
            return source.number(data, path, notes)
        case "amount":
            return source.number(data, path, notes) * 100
        case "flag":
            return source.flag(data, path, notes)
        case "day":
            return source.day(data, path, notes)
        case "codes":
            return frozenset(source.codes(data, path, notes)) if data != [] else frozenset()
        case _:
            return source.text(data, path, notes, most=64)


def facts(
    data: object, types: Mapping[str, FactType], path: str, notes: Notes
) -> dict[str, Value]:
    """Facts out of JSON; one that nobody declared is a fault, null is not known."""
    found: dict[str, Value] = {}
    for name, given in source.mapping(data, path, notes).items():
        if name not in types:
            notes.fault(f"{path}.{name}", "未声明的事实", "a fact that is not declared")
        elif given is not None:
            found[name] = value(types[name].kind, given, f"{path}.{name}", notes)
    return found


def derived(known: Mapping[str, Value], started_on: date | None = None) -> dict[str, Value]:
    """The facts with those that follow from others; `started_on` overrides a later start."""
    found = dict(known)
    start, on = found.get("started_on"), found.get("on")
    if started_on is not None and isinstance(start, date):
        start = found["started_on"] = min(start, started_on)
    if isinstance(start, date) and isinstance(on, date) and on >= start:
        months = (on.year - start.year) * 12 + on.month - start.month
        months -= add_months(start, months) > on
        found["months_since_start"] = Fraction(months)
        found["lease_year"] = Fraction(months // 12 + 1)
    filed = found.get("filed_on")
    if isinstance(filed, date):
        found["filed_month"] = f"{filed:%m}"
    return found


def shown(given: Any, kind: str) -> str:
    """A fact's value in words that both languages share."""
    if isinstance(given, bool):
        return "✓" if given else "✗"
    if isinstance(given, Fraction):
        return plain(given / 100 if kind == "amount" else given)
    if isinstance(given, frozenset):
        return "/".join(sorted(given)) or "—"
    return str(given)


def plain(exact: Fraction) -> str:
    """A number with at most six places, without needless zeros."""
    scaled = abs(exact) * 10**6
    whole, places = divmod(
        (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 10**6
    )
    sign = "-" if exact < 0 else ""
    return f"{sign}{whole}" + (f".{places:06d}".rstrip("0") if places else "")
