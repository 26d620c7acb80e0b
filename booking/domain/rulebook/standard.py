"""The book that a new base begins with: version 1."""

from typing import Any

from booking.domain.rulebook.params import WEEKDAYS

VERSION = 1
NOTE = "首版:出厂规则 / First version, as shipped"
_MANAGER = ["manager"]


def document() -> dict[str, Any]:
    """A fresh copy of the document."""
    return {"week_starts_on": "MO", "rules": [*_time(), *_rooms(), *_tenants(), *_stay()]}


def _rule(
    code: str, kind: str = "", *, by: list[str] | None = None, scope: Any = None, **params: Any
) -> dict[str, Any]:
    return {
        "code": code,
        "kind": kind or code,
        "scope": scope or {},
        "params": params,
        "overridable_by": by or [],
    }


def _time() -> list[dict[str, Any]]:
    day = [["00:00", "24:00"]]
    return [
        _rule("not_in_past", tolerance_min="own"),
        _rule("opening_hours", by=_MANAGER, week=dict.fromkeys(WEEKDAYS, day)),
        _rule("slot_grid", "step", by=_MANAGER, minutes="own"),
        _rule("min_length", by=_MANAGER, minutes="own"),
        _rule("max_length", by=_MANAGER, minutes=24 * 60),
        _rule("horizon", by=_MANAGER, days=90),
        _rule("series_horizon", by=_MANAGER, days=6 * 366),
        _rule("change_cutoff", by=_MANAGER, minutes=0),
        _rule("cancel_cutoff", by=_MANAGER, minutes=0),
    ]


def _rooms() -> list[dict[str, Any]]:
    return [_rule("bookable"), _rule("capacity", people="own"), _rule("units")]


def _tenants() -> list[dict[str, Any]]:
    """One tenant leaves room for others; single anchors are people, and people sleep."""
    anchors = {"tenant_categories": ["anchor"]}
    return [
        _rule("suspended", ratings=["D"], inactive=True),
        _rule("tenant_concurrent", "concurrent", by=_MANAGER, most=18),
        _rule("tenant_week_hours", "hours_quota", by=_MANAGER, period="week", minutes=500 * 60),
        _rule("anchor_concurrent", "concurrent", by=_MANAGER, scope=anchors, most=2),
        _rule(
            "anchor_day_hours", "hours_quota", by=_MANAGER, scope=anchors, period="day",
            minutes=16 * 60,
        ),
    ]  # fmt: skip


def _stay() -> list[dict[str, Any]]:
    return [_rule("hold_ttl", minutes=10), _rule("check_in", opens_min="own", grace_min=20)]
