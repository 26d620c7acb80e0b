"""The part of the language that lowers a booking's or a lease's price; rating knows its terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from billing.domain.policylang import source
from billing.domain.policylang.source import Notes

GATES: Final = ("no_discount_no_credit", "booking_suspended")
BENEFITS: Final[Mapping[str, tuple[str, ...]]] = {
    "booking": ("percent_off", "free_hours", "volume", "gate", "ceiling"),
    "lease": ("percent_by_year",),
    "fault": ("times_the_outage",),
}
EXTRAS: Final = ("free_qc_items_month", "priority_days_ahead")
_MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "percent_by_year": ("area_up_to",),
    "times_the_outage": ("most_share",),
    "percent_off": ("extras",),
    "free_hours": ("extras",),
}


@dataclass(frozen=True, slots=True)
class BookingBenefit:
    """One benefit; `terms` are checked, and in the words of the document."""

    head: str
    terms: Mapping[str, Any]


def read_covers(data: object, applies_to: str, notes: Notes) -> Mapping[str, Any]:
    """What part of a booking a rule speaks of: kinds of space, parts of the day, surge days."""
    if data is None:
        return {}
    row = source.mapping(data, "covers", notes)
    source.known(row, ("space_types", "bands", "surge"), "covers", notes)
    if applies_to != "booking":
        notes.fault("covers", "仅适用于预订", "only bookings are made of such parts")
    found: dict[str, Any] = {}
    for key in ("space_types", "bands"):
        if key in row:
            found[key] = list(source.codes(row[key], f"covers.{key}", notes))
    if "surge" in row and source.flag(row["surge"], "covers.surge", notes):
        found["surge"] = True
    return found


def read_benefit(data: object, applies_to: str, notes: Notes) -> BookingBenefit:
    """The one benefit of the rule."""
    row = source.mapping(data, "benefit", notes)
    heads = [head for head in BENEFITS.get(applies_to, ()) if head in row]
    if len(heads) != 1:
        allowed = BENEFITS.get(applies_to, ())
        source.known(row, allowed, "benefit", notes)
        notes.fault(
            "benefit",
            f"应恰有一项：{'、'.join(allowed)}",
            f"must have exactly one of {', '.join(allowed)}",
        )
        return BookingBenefit("", {})
    head = heads[0]
    source.known(row, (head, *_MORE.get(head, ())), "benefit", notes)
    for key, check in _CHECKS.items():
        if key in row:
            check(row[key], f"benefit.{key}", notes)
    extras = source.mapping(row.get("extras", {}), "benefit.extras", notes)
    source.known(extras, EXTRAS, "benefit.extras", notes)
    for key, many in extras.items():
        source.whole(many, f"benefit.extras.{key}", notes)
    return BookingBenefit(head, dict(row))


def _gate(value: object, path: str, notes: Notes) -> None:
    ratings = source.mapping(value, path, notes)
    source.known(ratings, ("A", "B", "C", "D"), path, notes)
    for rating, what in ratings.items():
        source.one_of(what, GATES, f"{path}.{rating}", notes)


def _ceiling(value: object, path: str, notes: Notes) -> None:
    ceiling = source.mapping(value, path, notes)
    source.known(ceiling, ("percent", "except_groups"), path, notes)
    _percent(ceiling.get("percent"), f"{path}.percent", notes)
    if "except_groups" in ceiling:
        source.codes(ceiling["except_groups"], f"{path}.except_groups", notes)


def _years(value: object, path: str, notes: Notes) -> None:
    for i, percent in enumerate(source.listing(value, path, notes, most=3)):
        _percent(percent, f"{path}[{i}]", notes)


def _quantity(value: object, path: str, notes: Notes) -> None:
    source.number(value, path, notes, least=0)


def _one_share(value: object, path: str, notes: Notes) -> None:
    source.share(value, path, notes, most=1)


def _percent(value: object, path: str, notes: Notes) -> None:
    if (source.share(value, path, notes) * 10_000).denominator != 1:
        notes.fault(path, "百分比最多两位小数", "a percentage has at most two places")


def _half_hours(value: object, path: str, notes: Notes) -> None:
    if (source.number(value, path, notes, least=0) * 2).denominator != 1:
        notes.fault(path, "应为半小时的整数倍", "must be a number of half-hours")


def _volume(value: object, path: str, notes: Notes) -> None:
    before = -1
    for i, row in enumerate(source.listing(value, path, notes, most=20)):
        where = f"{path}[{i}]"
        entry = source.mapping(row, where, notes)
        source.known(entry, ("ge", "percent"), where, notes)
        floor = source.whole(entry.get("ge"), f"{where}.ge", notes)
        if floor <= before:
            notes.fault(where, "门槛应逐级升高", "thresholds must rise")
        before = floor
        _percent(entry.get("percent"), f"{where}.percent", notes)


_CHECKS: Final[Mapping[str, Callable[[object, str, Notes], None]]] = {
    "percent_off": _percent,
    "free_hours": _half_hours,
    "volume": _volume,
    "gate": _gate,
    "ceiling": _ceiling,
    "percent_by_year": _years,
    "area_up_to": _quantity,
    "times_the_outage": _quantity,
    "most_share": _one_share,
}
