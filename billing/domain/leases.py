"""Rent of a lease for one month, with stepped relief.

Source: tariffs' monthly prices and policy P02 of the demo data.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from base_ops.core import money
from billing.domain.catalog import NotPriced, PriceBook, Tariff
from billing.domain.eligibility import refusal
from billing.domain.facts import LeaseFacts
from billing.domain.policies import Policy
from billing.domain.quote import Line, line
from billing.domain.situation import Situation
from billing.domain.texts import SHANGHAI, UNITS, Bi, percent_text


def rent(
    facts: LeaseFacts, *, names: Bi, tariff: Tariff, book: PriceBook, situation: Situation
) -> list[Line]:
    """The lines of one month: rent, free months agreed in the contract, relief.

    Days outside the contract are not billed; nothing is owed in a month wholly outside it.
    """
    first, last, days = _days(facts)
    if last < first:
        return []
    vat = (tariff.vat_monthly, book.vat(tariff.vat_monthly, facts.month))
    full, basis = _monthly(facts, tariff)
    used = (last - first).days + 1
    amount = money.round_half_up(Decimal(full * used) / days)
    part = Bi("", "") if used == days else Bi(f" {used}/{days}天", f" {used}/{days} days")
    month = f"{facts.month:%Y-%m}"
    base = line(
        "lease",
        Bi(
            f"{names.zh} 长租 {month} {basis.zh}{part.zh}",
            f"{names.en} lease {month} {basis.en}{part.en}",
        ),
        amount,
        vat=vat,
        start=_midnight(first),
        end=_midnight(last + timedelta(days=1)),
        quantity="1",
        unit="month",
        unit_fen=full,
    )
    off = _free(facts, base) or _relief(facts, base, book, situation)
    return [base, off] if off else [base]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _days(facts: LeaseFacts) -> tuple[date, date, int]:
    """First and last billed day, and the days of the month."""
    days = monthrange(facts.month.year, facts.month.month)[1]
    end = facts.month.replace(day=days)
    return max(facts.starts_on, facts.month), min(facts.ends_on, end), days


def _monthly(facts: LeaseFacts, tariff: Tariff) -> tuple[int, Bi]:
    """Rent of a whole month and how it comes about."""
    if facts.units is not None:
        if tariff.unit_price_fen is None or tariff.unit_period != "month":
            raise NotPriced(f"{tariff.code} is not let by the unit")
        total, price = facts.units * tariff.unit_price_fen, tariff.unit_price_fen
        unit = UNITS.get(tariff.unit, (tariff.unit, tariff.unit))
        basis = Bi(
            f"{facts.units}{unit[0]}×{_plain(price)}", f"{facts.units} {unit[1]} × {_plain(price)}"
        )
    elif facts.area_m2 is not None and tariff.monthly_per_m2_fen is not None:
        price = tariff.monthly_per_m2_fen
        total = money.round_half_up(facts.area_m2 * price)
        area = f"{facts.area_m2.normalize():f}"
        basis = Bi(f"{area}m²×{_plain(price)}", f"{area} m² × {_plain(price)}")
    else:
        raise NotPriced(f"{tariff.code} is not let by the month")
    if facts.monthly_rent_fen is not None and facts.monthly_rent_fen != total:
        agreed = _plain(facts.monthly_rent_fen)
        return facts.monthly_rent_fen, Bi(f"约定租金{agreed}", f"agreed rent {agreed}")
    return total, basis


def _plain(fen: int) -> str:
    """Yuan without needless zeros."""
    return money.yuan(fen).removesuffix(".00")


def _lease_month(facts: LeaseFacts) -> int:
    """0 for the first calendar month of the contract."""
    start = facts.starts_on
    return (facts.month.year - start.year) * 12 + facts.month.month - start.month


def _free(facts: LeaseFacts, base: Line) -> Line | None:
    """The contract's own free months come off whole."""
    month = _lease_month(facts)
    if month >= facts.free_months:
        return None
    text = Bi(f"合同免租期 第{month + 1}个月", f"Contractual free month {month + 1}")
    return line("discount", text, -base.gross_fen, vat=(base.vat_category, base.vat_rate))


def _relief(facts: LeaseFacts, base: Line, book: PriceBook, situation: Situation) -> Line | None:
    """The approved stepped relief of the contract's year, within area cap and budget."""
    policy = next((p for p in book.policies_on(facts.month) if p.code == facts.policy), None)
    approved = replace(situation, approvals=situation.approvals | {facts.policy or ""})
    gated = any(situation.rating in (p.gate or {}) for p in book.policies_on(facts.month))
    if policy is None or not policy.steps_bp or gated or refusal(policy, approved):
        return None
    year = _lease_month(facts) // 12
    if year >= len(policy.steps_bp):
        return None
    amount = _relief_fen(facts, base, policy, policy.steps_bp[year])
    amount = min(amount, situation.budget_left_fen.get(policy.code, amount))
    if amount <= 0:
        return None
    pct = percent_text(policy.steps_bp[year])
    text = Bi(
        f"{policy.label_zh} 第{year + 1}年{pct}%", f"{policy.label_en}, year {year + 1}: {pct} %"
    )
    return line(
        "discount",
        text,
        -amount,
        vat=(base.vat_category, base.vat_rate),
        policy=policy.code,
    )


def _relief_fen(facts: LeaseFacts, base: Line, policy: Policy, rate_bp: int) -> int:
    """Relief on the area up to the policy's cap."""
    share = Decimal(1)
    if policy.cap_area_m2 is not None and facts.area_m2:
        share = min(share, policy.cap_area_m2 / facts.area_m2)
    return money.round_half_up(base.gross_fen * share * rate_bp / 10_000)
