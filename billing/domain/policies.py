"""A discount policy: versioned data read into a small closed set of typed terms.

A term that is not known here is refused when a policy is read, never ignored when it is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from base_ops.core import money
from billing.domain.policylang.conditions import Condition

KINDS = frozenset(
    ["free_hours", "discount_pct", "tier_pct", "per_m2_cap", "gate", "ceiling", "fault_credit"]
)
CONDITIONS = frozenset(
    [
        *("months_since_join_lt", "registered_in_panyu", "rating_in", "booking_mode"),
        *("category_in", "tag_any", "programme_filed", "purpose_in", "band", "hours_month_ge"),
        *("agreement", "industry_in", "annual_gmv_ge", "joint_with_category"),
        *("partner_category_in", "surge", "outage_min_ge"),
    ]
)
BENEFITS = frozenset(
    [
        *("hours_per_month", "space_types", "bands", "year1", "year2", "year3", "pct", "tiers"),
        *("cny_per_m2_month", "free_qc_items_month", "priority_days_ahead", "C", "D"),
        *("max_total_discount_pct", "except_groups", "multiplier", "max_share_of_booking"),
    ]
)
CAPS = frozenset(
    [
        *("hours_total", "hours_per_month", "area_m2_max", "budget_year"),
        *("months", "share_of_paid_max"),
    ]
)


class PolicyRefused(ValueError):
    """The data of a policy cannot be read; says every reason."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy. Percentages are basis points, hours are half-hours, money fen."""

    code: str
    version: int
    name_zh: str
    name_en: str
    label_zh: str
    label_en: str
    kind: str
    order: int
    group: str | None
    funding: str
    approval_required: bool
    valid_from: date
    valid_to: date
    eligibility: Mapping[str, Any]
    space_types: frozenset[str] | None = None
    bands: frozenset[str] | None = None
    pct_bp: int | None = None
    tiers: tuple[tuple[int, int], ...] = ()
    steps_bp: tuple[int, ...] = ()
    free_half_hours_month: int | None = None
    cap_half_hours_month: int | None = None
    cap_half_hours_total: int | None = None
    cap_area_m2: Decimal | None = None
    budget_year_fen: int | None = None
    per_m2_month_fen: int | None = None
    ceiling_bp: int | None = None
    except_groups: frozenset[str] = frozenset()
    gate: Mapping[str, str] | None = None
    multiplier: Decimal | None = None
    max_share: Decimal | None = None
    when: Condition | None = None
    """A condition of the language beside `eligibility`, or None; judged by `eligibility`."""

    def __hash__(self) -> int:
        """Of its name: what was worked out for a policy is kept by it."""
        return hash((self.code, self.version))

    @property
    def payer(self) -> str:
        """Who bears what this policy takes off."""
        return "district" if self.funding == "district_fiscal" else "base"

    @property
    def limits_hours(self) -> bool:
        """Whether a tenant can use it up."""
        limits = (self.free_half_hours_month, self.cap_half_hours_month, self.cap_half_hours_total)
        return any(limit is not None for limit in limits)


def read(data: Mapping[str, Any], *, label: tuple[str, str] | None = None) -> Policy:
    """Read one policy of the data file.

    Args:
        data: an object of `policies` in the demo data.
        label: short names for invoice lines (zh, en); the policy's names when absent.

    Raises:
        PolicyRefused: a term is unknown, or a value makes no sense.
    """
    faults = _unknown_terms(data)
    if faults:
        raise PolicyRefused(faults)
    try:
        return _typed(data, label or (data["name_zh"], data["name_en"]))
    except (KeyError, TypeError, ValueError, InvalidOperation, ArithmeticError) as exc:
        raise PolicyRefused([f"{data.get('code')}: {exc!r}"]) from exc


def _unknown_terms(data: Mapping[str, Any]) -> list[str]:
    """Every term outside the language."""
    code = data.get("code")
    faults = [] if data.get("kind") in KINDS else [f"{code}: unknown kind {data.get('kind')!r}"]
    for part, known in (("eligibility", CONDITIONS), ("benefit", BENEFITS), ("cap", CAPS)):
        terms = data.get(part) or {}
        if not isinstance(terms, Mapping):
            faults.append(f"{code}: {part} is not an object")
            continue
        faults += [f"{code}: unknown {part} {term!r}" for term in sorted(set(terms) - known)]
    return faults


def _typed(data: Mapping[str, Any], label: tuple[str, str]) -> Policy:
    """The policy with every benefit in its own unit."""
    benefit, cap = data["benefit"], data.get("cap") or {}
    hours = _half_hours(benefit.get("hours_per_month"))
    return Policy(
        code=str(data["code"]),
        version=int(data["version"]),
        name_zh=str(data["name_zh"]),
        name_en=str(data["name_en"]),
        label_zh=label[0],
        label_en=label[1],
        kind=str(data["kind"]),
        order=int(data["apply_order"]),
        group=data.get("exclusive_group"),
        funding=str(data["funding"]),
        approval_required=bool(data["approval_required"]),
        valid_from=date.fromisoformat(data["valid_from"]),
        valid_to=date.fromisoformat(data["valid_to"]),
        eligibility=dict(data["eligibility"]),
        space_types=_set(benefit.get("space_types")),
        bands=_set(benefit.get("bands")),
        pct_bp=_bp(benefit.get("pct")),
        tiers=tuple(sorted((int(h) * 2, _points(p)) for h, p in benefit.get("tiers", ()))),
        steps_bp=tuple(_points(benefit[y]) for y in ("year1", "year2", "year3") if y in benefit),
        free_half_hours_month=hours,
        cap_half_hours_month=_half_hours(cap.get("hours_per_month")),
        cap_half_hours_total=_half_hours(cap.get("hours_total")),
        cap_area_m2=Decimal(str(cap["area_m2_max"])) if "area_m2_max" in cap else None,
        budget_year_fen=money.fen(cap["budget_year"]) if "budget_year" in cap else None,
        per_m2_month_fen=_money(benefit.get("cny_per_m2_month")),
        ceiling_bp=_bp(benefit.get("max_total_discount_pct")),
        except_groups=frozenset(benefit.get("except_groups", ())),
        gate={k: str(benefit[k]) for k in ("C", "D") if k in benefit} or None,
        multiplier=Decimal(benefit["multiplier"]) if "multiplier" in benefit else None,
        max_share=_share(benefit.get("max_share_of_booking")),
    )


def _points(percent: object) -> int:
    """Basis points of a percentage between 0 and 100, at most two places."""
    value = Decimal(str(percent)) * 100
    if value != value.to_integral_value() or not 0 <= value <= 10_000:
        raise ValueError(f"not a percentage: {percent!r}")
    return int(value)


def _bp(percent: object) -> int | None:
    return None if percent is None else _points(percent)


def _half_hours(hours: object) -> int | None:
    """Half-hours of a number of hours >= 0."""
    if hours is None:
        return None
    value = Decimal(str(hours)) * 2
    if value != value.to_integral_value() or value < 0:
        raise ValueError(f"not a number of half-hours: {hours!r}")
    return int(value)


def _money(yuan: object) -> int | None:
    return None if yuan is None else money.fen(str(yuan))


def _share(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _set(values: Sequence[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
