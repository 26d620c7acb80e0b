"""How a tenant's documents differ from the period before, and what about it is a surprise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from base_ops.core import money
from billing.domain.texts import Bi

KINDS = {
    "room": Bi("场地", "room"),
    "discount": Bi("优惠", "discount"),
    "service": Bi("服务", "service"),
    "lease": Bi("租金", "lease"),
    "fee": Bi("取消/爽约/改期费", "fee"),
    "overtime": Bi("超时", "overtime"),
    "energy": Bi("超额电费", "energy"),
    "credit": Bi("红字赔付", "credit"),
}
_USUAL = frozenset({"room", "discount", "service", "lease"})


@dataclass(frozen=True, slots=True)
class Figures:
    """What one tenant was charged in one period, in fen with tax.

    `kinds` are sums by kind of line, `policies` what each policy gave (negative).
    """

    kinds: Mapping[str, int] = field(default_factory=dict)
    policies: Mapping[str, int] = field(default_factory=dict)

    @property
    def gross_fen(self) -> int:
        """All lines."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Beside:
    """What else is known of a tenant in the period that is being invoiced.

    `wrong_sign` are sums of documents with the wrong sign; `unmeasured` are stays whose meter gave
    nothing although the room price includes only so much energy; `late_fen` is of earlier periods.
    """

    wrong_sign: tuple[int, ...] = ()
    unmeasured: int = 0
    late: int = 0
    late_fen: int = 0
    lacks_uscc: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """When a change is a surprise: by so many per cent and at least so much."""

    change_percent: int
    change_from_fen: int


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something that somebody should look at before approving."""

    code: str
    reason: Bi
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "code": self.code,
            "reason_zh": self.reason.zh,
            "reason_en": self.reason.en,
            "data": dict(self.data),
        }


Lapsed = Callable[[str], date | None]
"""The last day of a policy that has ended before the period; None while it is in force."""


def surprises(
    now: Figures | None, before: Figures | None, beside: Beside, *, limits: Limits, lapsed: Lapsed
) -> list[Surprise]:
    """Everything surprising about one tenant, the gravest first.

    Args:
        now: None when nothing is to be invoiced.
        before: None when nothing was; both None is no surprise.
        beside: what else is known.
        limits: when a change is a surprise.
        lapsed: asks about a policy.
    """
    found = _own(beside)
    if now is None and before is not None:
        amount = money.yuan(before.gross_fen)
        text = Bi(f"上期 {amount} 元，本期没有账单", f"{amount} yuan before, nothing now")
        return [*found, Surprise("tenant_vanished", text, {"before_fen": before.gross_fen})]
    if now is not None and before is None:
        amount = money.yuan(now.gross_fen)
        text = Bi(f"上期没有账单，本期 {amount} 元", f"Nothing before, {amount} yuan now")
        return [*found, Surprise("tenant_new", text, {"gross_fen": now.gross_fen})]
    if now is None or before is None:
        return found
    return [
        *found,
        *_changed(now, before, limits),
        *_kinds(now, before),
        *_discounts(now, before, lapsed),
    ]


def _own(beside: Beside) -> list[Surprise]:
    """What is surprising whatever was before."""
    found = [
        Surprise(
            "wrong_sign",
            Bi(f"单据合计 {money.yuan(n)} 元，符号相反", f"A document of {money.yuan(n)} yuan"),
            {"gross_fen": n},
        )
        for n in beside.wrong_sign
    ]
    if beside.unmeasured:
        n = beside.unmeasured
        text = Bi(f"{n} 场使用没有电表读数", f"No meter reading for {n} stays")
        found.append(Surprise("meter_missing", text, {"stays": n}))
    if beside.late:
        late, amount = beside.late, money.yuan(beside.late_fen)
        text = Bi(
            f"{late} 笔属于更早期间，合计 {amount} 元",
            f"{late} charges of earlier periods, {amount} yuan together",
        )
        figures = {"charges": late, "gross_fen": beside.late_fen}
        found.append(Surprise("late_charges", text, figures))
    if beside.lacks_uscc:
        text = Bi(
            "专用发票缺少统一社会信用代码", "A special VAT invoice needs a social credit code"
        )
        found.append(Surprise("buyer_incomplete", text))
    return found


def _changed(now: Figures, before: Figures, limits: Limits) -> list[Surprise]:
    change = now.gross_fen - before.gross_fen
    size = abs(change)
    beyond = size * 100 >= abs(before.gross_fen) * limits.change_percent
    if not change or size < limits.change_from_fen or not beyond:
        return []
    was, becomes = money.yuan(before.gross_fen), money.yuan(now.gross_fen)
    text = Bi(f"由 {was} 元变为 {becomes} 元", f"From {was} to {becomes} yuan")
    return [Surprise("change_beyond", text, {"change_fen": change})]


def _kinds(now: Figures, before: Figures) -> list[Surprise]:
    found = []
    for kind in sorted(now.kinds.keys() - before.kinds.keys() - _USUAL):
        name, amount = KINDS.get(kind, Bi(kind, kind)), now.kinds[kind]
        text = Bi(
            f"上期没有的项目：{name.zh} {money.yuan(amount)} 元",
            f"Not there before: {name.en}, {money.yuan(amount)} yuan",
        )
        found.append(Surprise("unusual_lines", text, {"kind": kind, "gross_fen": amount}))
    if "lease" in before.kinds and "lease" not in now.kinds:
        rent = money.yuan(before.kinds["lease"])
        text = Bi(f"上期有租金 {rent} 元，本期没有", f"Rent of {rent} yuan before, none now")
        found.append(Surprise("lease_missing", text, {"before_fen": before.kinds["lease"]}))
    return found


def _discounts(now: Figures, before: Figures, lapsed: Lapsed) -> list[Surprise]:
    """Policies that gave something before and give nothing now, though there is what to pay."""
    if not {"room", "lease"} & now.kinds.keys():
        return []
    found = []
    for code in sorted(c for c, fen in before.policies.items() if fen and not now.policies.get(c)):
        gave, last = money.yuan(-before.policies[code]), lapsed(code)
        if last is not None:
            text = Bi(
                f"政策 {code} 已于 {last} 到期（上期优惠 {gave} 元）",
                f"Policy {code} ended on {last}; it gave {gave} yuan before",
            )
            found.append(Surprise("policy_lapsed", text, {"policy": code, "on": f"{last}"}))
        else:
            text = Bi(
                f"上期由 {code} 优惠 {gave} 元，本期没有",
                f"{code} gave {gave} yuan before and nothing now",
            )
            found.append(Surprise("discount_ended", text, {"policy": code}))
    return found
