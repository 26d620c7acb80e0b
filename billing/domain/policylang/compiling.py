"""One entry for every form of a policy: what lowers a price becomes what rating already knows.

A comparison that rating has a check and words of its own for is handed to it; the rest of the
condition is judged by the language, over the facts of the situation.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from billing.domain.policies import Policy
from billing.domain.policies import read as read_short
from billing.domain.policylang import rules
from billing.domain.policylang.conditions import Compare, Condition, Tree
from billing.domain.policylang.rules import Rule

_PLACES: Final = ("space_types", "bands")
Wanted = Fraction | date | bool | tuple[str, ...]
_KINDS: Final = {
    "percent_off": "discount_pct",
    "free_hours": "free_hours",
    "volume": "tier_pct",
    "gate": "gate",
    "ceiling": "ceiling",
    "percent_by_year": "discount_pct",
    "times_the_outage": "fault_credit",
}
_TERMS: Final[Mapping[tuple[str, str], str]] = {
    ("months_since_join", "lt"): "months_since_join_lt",
    ("registered", "is"): "registered_in_panyu",
    ("rating", "in"): "rating_in",
    ("booking_mode", "is"): "booking_mode",
    ("category", "in"): "category_in",
    ("tags", "any_of"): "tag_any",
    ("programme_filed", "is"): "programme_filed",
    ("purpose", "in"): "purpose_in",
    ("month_hours", "ge"): "hours_month_ge",
    ("agreement", "is"): "agreement",
    ("industry", "in"): "industry_in",
    ("annual_sales", "ge"): "annual_gmv_ge",
    ("joint_categories", "any_of"): "joint_with_category",
    ("partner_categories", "any_of"): "partner_category_in",
    ("outage_min", "ge"): "outage_min_ge",
}


def load(data: Mapping[str, Any], *, label: tuple[str, str] | None = None) -> Policy:
    """A policy of the data file or of the editor, as the price book holds it.

    Raises:
        PolicyRefused: the short form cannot be read.
        Refused: the document is not in the language.
    """
    if "language" not in data:
        return read_short(data, label=label)
    return compiled(rules.read(data))


def compiled(rule: Rule) -> Policy:
    """The rule as a policy of the price book; a claim's is there, and rating passes it by."""
    terms, rest = _split(rule.when)
    plain: dict[str, Any] = {
        "code": rule.code,
        "version": rule.version,
        "name_zh": rule.name.zh,
        "name_en": rule.name.en,
        "label_zh": rule.label.zh,
        "label_en": rule.label.en,
        "order": rule.order,
        "group": rule.group,
        "funding": rule.funding,
        "approval_required": rule.approval,
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "budget_year_fen": rule.budget.limit_fen if rule.budget else None,
    }
    if rule.booking is None:
        return Policy(**plain, kind="claim", eligibility={})
    return Policy(
        **plain,
        **_covers(rule),
        **_hours(rule),
        **_benefit(rule),
        kind=_KINDS[rule.booking.head],
        eligibility=terms | ({"surge": True} if rule.covers.get("surge") else {}),
        when=rest,
    )


def _split(when: Condition | None) -> tuple[dict[str, Any], Condition | None]:
    """The comparisons that rating checks itself, and what is left for the language."""
    if when is None:
        return {}, None
    whole = isinstance(when, Tree) and when.op == "all"
    parts = when.parts if isinstance(when, Tree) and whole else (when,)
    terms: dict[str, Any] = {}
    rest: list[Condition] = []
    for part in parts:
        term = _term(part)
        if term is None or term[0] in terms:
            rest.append(part)
        else:
            terms[term[0]] = term[1]
    if not rest:
        return terms, None
    return terms, rest[0] if len(rest) == 1 else Tree("when", "all", tuple(rest))


def _term(part: Condition) -> tuple[str, Any] | None:
    """A comparison as rating's own term; None when it has none that means the same."""
    if not isinstance(part, Compare):
        return None
    name, wanted = _TERMS.get((part.fact, part.op)), part.wanted
    if name is None:
        return None
    found = _SAID.get(name, _listed)(wanted)
    return None if found is None else (name, found)


def _listed(wanted: Wanted) -> Any:
    """Codes as a list, whole numbers as such; what must be true, and only that."""
    if isinstance(wanted, tuple):
        return list(wanted)
    if isinstance(wanted, Fraction):
        return _whole(wanted, 1)
    return True if wanted is True else None


def _single(wanted: Wanted) -> Any:
    return wanted[0] if isinstance(wanted, tuple) and len(wanted) == 1 else None


def _whole_yuan(wanted: Wanted) -> Any:
    return _whole(wanted, 100)


_SAID: Final[Mapping[str, Callable[[Wanted], Any]]] = {
    "joint_with_category": _single,
    "booking_mode": _single,
    "annual_gmv_ge": _whole_yuan,
}


def _whole(wanted: Wanted, unit: int) -> int | None:
    """A whole number of units, which rating's own checks want."""
    if not isinstance(wanted, Fraction) or (wanted / unit).denominator != 1 or wanted < 0:
        return None
    return int(wanted / unit)


def _covers(rule: Rule) -> dict[str, Any]:
    return {
        key: frozenset(rule.covers[key]) for key in ("space_types", "bands") if key in rule.covers
    }


def _hours(rule: Rule) -> dict[str, Any]:
    names = {"month": "cap_half_hours_month", "tenant": "cap_half_hours_total"}
    return {names[cap.per]: cap.half_hours for cap in rule.hours}


def _bp(percent: object) -> int:
    return int(Decimal(str(percent)) * 100)


def _benefit(rule: Rule) -> dict[str, Any]:
    assert rule.booking is not None
    return _BENEFITS[rule.booking.head](rule.booking.terms)


def _lease(terms: Mapping[str, Any]) -> dict[str, Any]:
    area = terms.get("area_up_to")
    return {
        "steps_bp": tuple(_bp(percent) for percent in terms["percent_by_year"]),
        "cap_area_m2": None if area is None else Decimal(str(area)),
    }


def _ceiling(terms: Mapping[str, Any]) -> dict[str, Any]:
    ceiling = terms["ceiling"]
    groups = frozenset(ceiling.get("except_groups", ()))
    return {"ceiling_bp": _bp(ceiling["percent"]), "except_groups": groups}


def _fault(terms: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "multiplier": Decimal(str(terms["times_the_outage"])),
        "max_share": Decimal(str(terms.get("most_share", "1"))),
    }


_BENEFITS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "percent_off": lambda t: {"pct_bp": _bp(t["percent_off"])},
    "free_hours": lambda t: {"free_half_hours_month": int(Decimal(str(t["free_hours"])) * 2)},
    "volume": lambda t: {
        "tiers": tuple((row["ge"] * 2, _bp(row["percent"])) for row in t["volume"])
    },
    "gate": lambda t: {"gate": dict(t["gate"]) or None},
    "ceiling": _ceiling,
    "percent_by_year": _lease,
    "times_the_outage": _fault,
}
