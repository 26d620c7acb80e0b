"""The data file's short form of a booking discount, written in the language."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from billing.domain.policylang.booking import EXTRAS

_SCOPES: Final = {"per_m2_cap": "claim", "fault_credit": "fault"}
_SAME_IN_BOTH: Final = (
    *("code", "version", "name_zh", "name_en", "funding", "valid_from", "valid_to", "basis"),
)
Leaf = Callable[[Any], dict[str, Any]]


def _is(fact: str) -> Leaf:
    return lambda wanted: {"fact": fact, "is": wanted}


def _in(fact: str) -> Leaf:
    return lambda wanted: {"fact": fact, "in": list(wanted)}


def _any_of(fact: str) -> Leaf:
    def leaf(wanted: Any) -> dict[str, Any]:
        return {"fact": fact, "any_of": [wanted] if isinstance(wanted, str) else list(wanted)}

    return leaf


def _than(fact: str, op: str) -> Leaf:
    return lambda wanted: {"fact": fact, op: str(wanted)}


LEAVES: Final[Mapping[str, Leaf]] = {
    "months_since_join_lt": _than("months_since_join", "lt"),
    "registered_in_panyu": _is("registered"),
    "rating_in": _in("rating"),
    "booking_mode": _is("booking_mode"),
    "category_in": _in("category"),
    "tag_any": _any_of("tags"),
    "programme_filed": _is("programme_filed"),
    "purpose_in": _in("purpose"),
    "hours_month_ge": _than("month_hours", "ge"),
    "agreement": _is("agreement"),
    "industry_in": _in("industry"),
    "annual_gmv_ge": _than("annual_sales", "ge"),
    "joint_with_category": _any_of("joint_categories"),
    "partner_category_in": _any_of("partner_categories"),
    "outage_min_ge": _than("outage_min", "ge"),
}
"""Each condition of the short form as a comparison; `band` and `surge` are what it covers."""


def upgrade(data: Mapping[str, Any], label: tuple[str, str] | None = None) -> dict[str, Any]:
    """The same policy as a document of the language; `data` is known to be readable."""
    cap = data.get("cap") or {}
    found: dict[str, Any] = {"language": 1} | {k: data[k] for k in _SAME_IN_BOTH if k in data}
    if label:
        found |= {"label_zh": label[0], "label_en": label[1]}
    found |= {"order": data["apply_order"], "group": data.get("exclusive_group")}
    found |= {"approval": data["approval_required"], "evidence": _papers(data)}
    found["applies_to"] = _scope(data)
    found["when"] = _when(data["eligibility"])
    found["benefit"] = _benefit(data)
    if covers := _covers(data):
        found["covers"] = covers
    caps = [
        {"per": per, "hours": str(cap[key])}
        for key, per in (("hours_per_month", "month"), ("hours_total", "tenant"))
        if key in cap
    ]
    if caps:
        found["caps"] = caps
    if "budget_year" in cap:
        limit = {"per": "year", "limit": cap["budget_year"], "share": "first_come"}
        found["budget"] = limit
    return {k: v for k, v in found.items() if v is not None}


def _scope(data: Mapping[str, Any]) -> str:
    if "year1" in data["benefit"]:
        return "lease"
    return _SCOPES.get(data["kind"], "booking")


def _papers(data: Mapping[str, Any]) -> list[dict[str, str]] | None:
    names = data.get("documents_zh") or []
    papers = [{"key": f"paper_{i}", "zh": zh, "en": zh} for i, zh in enumerate(names, start=1)]
    return papers or None


def _when(eligibility: Mapping[str, Any]) -> dict[str, Any] | None:
    leaves = [LEAVES[term](eligibility[term]) for term in sorted(eligibility) if term in LEAVES]
    return {"all": leaves} if leaves else None


def _covers(data: Mapping[str, Any]) -> dict[str, Any]:
    benefit, eligibility = data["benefit"], data["eligibility"]
    found = {key: list(benefit[key]) for key in ("space_types", "bands") if key in benefit}
    if "band" in eligibility:
        found["bands"] = [eligibility["band"]]
    return found | ({"surge": True} if eligibility.get("surge") else {})


def _benefit(data: Mapping[str, Any]) -> dict[str, Any]:
    benefit, cap = data["benefit"], data.get("cap") or {}
    found = _BENEFITS["lease" if _scope(data) == "lease" else data["kind"]](benefit, cap)
    extras = {k: benefit[k] for k in EXTRAS if k in benefit}
    return found | ({"extras": extras} if extras else {})


def _lease(benefit: Mapping[str, Any], cap: Mapping[str, Any]) -> dict[str, Any]:
    years = [benefit[year] for year in ("year1", "year2", "year3") if year in benefit]
    area = {"area_up_to": str(cap["area_m2_max"])} if "area_m2_max" in cap else {}
    return {"percent_by_year": years} | area


def _volume(benefit: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {"volume": [{"ge": int(floor), "percent": pct} for floor, pct in benefit["tiers"]]}


def _ceiling(benefit: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    groups = benefit.get("except_groups")
    except_groups = {"except_groups": list(groups)} if groups else {}
    return {"ceiling": {"percent": benefit["max_total_discount_pct"]} | except_groups}


def _fault(benefit: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "times_the_outage": benefit["multiplier"],
        "most_share": benefit["max_share_of_booking"],
    }


def _per_m2(benefit: Mapping[str, Any], cap: Mapping[str, Any]) -> dict[str, Any]:
    """A rate for the area and the months, never more than a share of what was paid."""
    rate = {
        "per": "area_m2",
        "rate": benefit["cny_per_m2_month"],
        "up_to": str(cap["area_m2_max"]),
        "times": "months",
        "times_up_to": str(cap["months"]),
    }
    share = f"{(Decimal(cap['share_of_paid_max']) * 100).normalize():f}"
    return {"least": [rate, {"percent": share, "of": {"fact": "rent_paid"}}]}


_BENEFITS: Final[
    Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]]
] = {
    "lease": _lease,
    "per_m2_cap": _per_m2,
    "free_hours": lambda benefit, _: {"free_hours": str(benefit["hours_per_month"])},
    "discount_pct": lambda benefit, _: {"percent_off": benefit["pct"]},
    "tier_pct": _volume,
    "gate": lambda benefit, _: {"gate": {k: benefit[k] for k in ("C", "D") if k in benefit}},
    "ceiling": _ceiling,
    "fault_credit": _fault,
}
