"""Rent of a lease for one month, with stepped relief.

Source: tariffs' monthly prices and policy P02 of the demo data.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from base_ops.core import money
from base_ops.core.months import add_months
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
    amount = _share(full, used, days)
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
    free = _free(facts, base, full, days)
    paid_fen = base.gross_fen + (free.gross_fen if free else 0)
    relief = _relief(facts, base, paid_fen, book, situation)
    return [base, *(entry for entry in (free, relief) if entry)]


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


def cut_short(
    before: LeaseFacts, ends_on: date, charged: Sequence[Line], *, credited_fen: int = 0
) -> Line | None:
    """What is given back of a month that was charged as `before`, when it now ends on `ends_on`.

    Rent and free days are counted anew for the days that remain; relief shrinks in proportion to
    the rent it was granted on, whatever became of the tenant since. None when nothing is owed.

    Args:
        before: as the month was charged.
        ends_on: the new last day; may lie before the month.
        charged: the lines of that charge.
        credited_fen: what was given back before, >= 0.
    """
    base = next((entry for entry in charged if entry.kind == "lease"), None)
    if base is None or base.unit_fen is None:
        return None
    after = replace(before, ends_on=ends_on)
    kept = _paid_fen(after, base.unit_fen)
    paid = _paid_fen(before, base.unit_fen)
    relief = sum(entry.gross_fen for entry in charged if entry.policy)
    owed = kept + (money.round_half_up(Decimal(relief) * kept / paid) if paid else 0)
    back = sum(entry.gross_fen for entry in charged) - owed - credited_fen
    if back <= 0:
        return None
    text = Bi(
        f"退租退还 {before.month:%Y-%m}(租至 {ends_on})",
        f"Rent given back {before.month:%Y-%m} (lease ends {ends_on})",
    )
    return line("credit", text, -back, vat=(base.vat_category, base.vat_rate))


def _paid_fen(facts: LeaseFacts, full: int) -> int:
    """Rent of the month's billed days less that of the free ones, before relief."""
    first, last, days = _days(facts)
    used = max((last - first).days + 1, 0)
    return _share(full, used, days) - _share(full, _free_days(facts, first, last), days)


def _share(full: int, part: int, days: int) -> int:
    return money.round_half_up(Decimal(full * part) / days)


def _lease_month(facts: LeaseFacts) -> int:
    """0 for the first calendar month of the contract, or of the one that it renews."""
    start = facts.since or facts.starts_on
    return (facts.month.year - start.year) * 12 + facts.month.month - start.month


def _free_days(facts: LeaseFacts, first: date, last: date) -> int:
    """How many of the billed days lie in the free months, which count from the first day."""
    end = add_months(facts.starts_on, facts.free_months)
    return max((min(last, end - timedelta(days=1)) - first).days + 1, 0)


def _free(facts: LeaseFacts, base: Line, full: int, days: int) -> Line | None:
    """The contract's own free months come off whole; of a month they end in, their days."""
    first, last, _ = _days(facts)
    free = _free_days(facts, first, last)
    if not free:
        return None
    start = facts.starts_on
    month = (facts.month.year - start.year) * 12 + facts.month.month - start.month
    if free == (last - first).days + 1:
        text = Bi(f"合同免租期 第{month + 1}个月", f"Contractual free month {month + 1}")
    else:
        text = Bi(f"合同免租期 {free}/{days}天", f"Contractual free period {free}/{days} days")
    off = _share(full, free, days)
    return line("discount", text, -off, vat=(base.vat_category, base.vat_rate)) if off else None


def _relief(
    facts: LeaseFacts, base: Line, paid_fen: int, book: PriceBook, situation: Situation
) -> Line | None:
    """The approved stepped relief of the contract's year, within area cap and budget."""
    if paid_fen <= 0:
        return None
    policy = next((p for p in book.policies_on(facts.month) if p.code == facts.policy), None)
    approved = replace(situation, approvals=situation.approvals | {facts.policy or ""})
    gated = any(situation.rating in (p.gate or {}) for p in book.policies_on(facts.month))
    if policy is None or not policy.steps_bp or gated or refusal(policy, approved):
        return None
    year = _lease_month(facts) // 12
    if year >= len(policy.steps_bp):
        return None
    amount = _relief_fen(facts, paid_fen, policy, policy.steps_bp[year])
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
        payer=policy.payer,
    )


def _relief_fen(facts: LeaseFacts, paid_fen: int, policy: Policy, rate_bp: int) -> int:
    """Relief on the area up to the policy's cap."""
    share = Decimal(1)
    if policy.cap_area_m2 is not None and facts.area_m2:
        share = min(share, policy.cap_area_m2 / facts.area_m2)
    return money.round_half_up(paid_fen * share * rate_bp / 10_000)
