"""One rule of the language: read, checked, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from billing.domain.policylang import amounts, conditions, source, vocabulary
from billing.domain.policylang.amounts import Scope
from billing.domain.policylang.booking import BookingBenefit, read_benefit, read_covers
from billing.domain.policylang.conditions import Condition
from billing.domain.policylang.nodes import Amount
from billing.domain.policylang.source import Notes
from billing.domain.policylang.vocabulary import FactType
from billing.domain.texts import Bi

LANGUAGE: Final = 1
CAPS: Final = ("claim", "month", "year", "tenant", "policy_year", "programme")
"""Nested from the inside out; the last two are shared by all tenants."""
SHARES: Final = ("first_come", "pro_rata", "ranked")
_KEYS: Final = (
    *("language", "code", "version", "name_zh", "name_en", "label_zh", "label_en", "basis"),
    *("applies_to", "funding", "programme", "order", "group", "valid_from", "valid_to"),
    *("facts", "when", "amounts", "benefit", "covers", "caps", "budget", "quota", "round_down"),
    *("instalments", "evidence", "approval", "identity"),
)
FUNDINGS: Final = ("base_operator", "district_fiscal", "rule")


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on what is given: of one claim, a month, a year, a tenant, or of everybody."""

    path: str
    per: str
    limit: Amount
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """A limit in half-hours, of a month or of all time; only bookings have hours."""

    per: str
    half_hours: int


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """Fen for one year, and who gets them when they do not suffice."""

    limit_fen: int
    share: str


@dataclass(frozen=True, slots=True)
class Quota:
    """So many places for the best by a fact."""

    places: int
    by: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who counts as the same, so that a new name starts no new first year.

    `once`: what was given to the same before is not given again.
    """

    keys: tuple[str, ...]
    once: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """Evidence that a claim must bring."""

    key: str
    name: Bi


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a policy in the language."""

    code: str
    version: int
    name: Bi
    label: Bi
    applies_to: str
    funding: str
    programme: str
    order: int
    group: str | None
    valid_from: date
    valid_to: date
    types: Mapping[str, FactType] = field(repr=False)
    when: Condition | None
    named: tuple[tuple[str, Amount], ...]
    amount: Amount | None
    booking: BookingBenefit | None
    covers: Mapping[str, Any]
    caps: tuple[Cap, ...]
    hours: tuple[Hours, ...]
    budget: BudgetTerms | None
    quota: Quota | None
    round_down: Fraction | None
    instalments: int
    evidence: tuple[Paper, ...]
    approval: bool
    identity: Identity | None

    @property
    def key(self) -> tuple[int, str]:
        """Where it stands among others."""
        return (self.order, self.code)


def read(document: object) -> Rule:
    """Read a rule.

    Raises:
        source.Refused: it is not in the language; every fault with path and reason.
    """
    source.measure(document)
    notes = Notes()
    data = source.mapping(document, "", notes)
    source.known(data, _KEYS, "", notes)
    if data.get("language") != LANGUAGE or isinstance(data.get("language"), bool):
        notes.fault("language", f"应为{LANGUAGE}", f"must be {LANGUAGE}")
    rule = _rule(data, notes)
    notes.check()
    return rule


def _rule(data: Mapping[str, Any], notes: Notes) -> Rule:
    name = Bi(
        source.text(data.get("name_zh"), "name_zh", notes),
        source.text(data.get("name_en"), "name_en", notes),
    )
    types = vocabulary.declared(data.get("facts"), notes)
    applies_to = source.one_of(
        data.get("applies_to"), ("booking", "lease", "claim", "fault"), "applies_to", notes
    )
    named, scope = amounts.names(data.get("amounts"), Scope(types, notes))
    caps, hours = _caps(data.get("caps"), scope, applies_to)
    claim = applies_to == "claim"
    first, last = _days(data, notes)
    return Rule(
        code=source.code(data.get("code"), "code", notes),
        version=source.whole(data.get("version"), "version", notes, least=1),
        name=name,
        label=_label(data, name, notes),
        applies_to=applies_to,
        funding=source.one_of(data.get("funding"), FUNDINGS, "funding", notes),
        programme=_code(data, "programme", notes) or "",
        order=source.whole(data.get("order"), "order", notes, most=999),
        group=_code(data, "group", notes),
        valid_from=first,
        valid_to=last,
        types=types,
        when=(
            conditions.read(data["when"], "when", types, notes)
            if data.get("when") is not None
            else None
        ),
        named=named,
        amount=amounts.read(data.get("benefit"), "benefit", scope) if claim else None,
        booking=None if claim else read_benefit(data.get("benefit"), applies_to, notes),
        covers=read_covers(data.get("covers"), applies_to, notes),
        caps=caps,
        hours=hours,
        budget=_budget(data.get("budget"), notes),
        quota=_quota(data.get("quota"), scope),
        round_down=(
            source.divisor(data["round_down"], "round_down", notes) * 100
            if data.get("round_down") is not None
            else None
        ),
        instalments=source.whole(
            data.get("instalments", 1), "instalments", notes, least=1, most=60
        ),
        evidence=_evidence(data.get("evidence"), notes),
        approval=source.flag(data.get("approval", False), "approval", notes),
        identity=_identity(data.get("identity"), notes),
    )


def _label(data: Mapping[str, Any], name: Bi, notes: Notes) -> Bi:
    """The short name on invoice lines."""
    return Bi(
        source.text(data.get("label_zh", name.zh), "label_zh", notes, most=80),
        source.text(data.get("label_en", name.en), "label_en", notes, most=80),
    )


def _code(data: Mapping[str, Any], key: str, notes: Notes) -> str | None:
    return None if data.get(key) is None else source.code(data[key], key, notes)


def _days(data: Mapping[str, Any], notes: Notes) -> tuple[date, date]:
    first = source.day(data.get("valid_from"), "valid_from", notes)
    last = source.day(data.get("valid_to"), "valid_to", notes)
    if last < first:
        notes.fault("valid_to", "早于 valid_from", "is before valid_from")
    return first, last


def _caps(
    data: object, scope: Scope, applies_to: str
) -> tuple[tuple[Cap, ...], tuple[Hours, ...]]:
    caps: list[Cap] = []
    hours: list[Hours] = []
    notes = scope.notes
    for i, row in enumerate(source.listing(data or [], "caps", notes, least=0, most=12)):
        path = f"caps[{i}]"
        entry = source.mapping(row, path, notes)
        source.known(entry, ("per", "limit", "hours", "when"), path, notes)
        per = source.one_of(entry.get("per"), CAPS, f"{path}.per", notes)
        if "hours" in entry:
            if applies_to != "booking" or per not in ("month", "tenant"):
                notes.fault(
                    f"{path}.hours",
                    "时数上限仅适用于预订的 month 或 tenant",
                    "hours are limited for bookings only, per month or per tenant",
                )
            hours.append(Hours(per, half_hours(entry["hours"], f"{path}.hours", notes)))
            continue
        if applies_to != "claim":
            notes.fault(path, "金额上限仅适用于申报", "an amount is capped for claims only")
        when = entry.get("when")
        caps.append(
            Cap(
                path,
                per,
                amounts.read(entry.get("limit"), f"{path}.limit", scope),
                conditions.read(when, f"{path}.when", scope.types, notes) if when else None,
            )
        )
    return tuple(sorted(caps, key=lambda c: (CAPS.index(c.per), c.path))), tuple(hours)


def half_hours(value: object, path: str, notes: Notes) -> int:
    """Half-hours of a number of hours."""
    found = source.number(value, path, notes, least=0) * 2
    if found.denominator != 1:
        notes.fault(path, "应为半小时的整数倍", "must be a number of half-hours")
        return 0
    return int(found)


def _budget(data: object, notes: Notes) -> BudgetTerms | None:
    if data is None:
        return None
    row = source.mapping(data, "budget", notes)
    source.known(row, ("per", "limit", "share"), "budget", notes)
    source.one_of(row.get("per"), ("year",), "budget.per", notes)
    limit = source.fen(row.get("limit"), "budget.limit", notes)
    if limit.denominator != 1:
        notes.fault("budget.limit", "不得细于一分", "must not be finer than one fen")
    share = source.one_of(row.get("share", "first_come"), SHARES, "budget.share", notes)
    return BudgetTerms(int(limit), share)


def _quota(data: object, scope: Scope) -> Quota | None:
    if data is None:
        return None
    row = source.mapping(data, "quota", scope.notes)
    source.known(row, ("places", "by"), "quota", scope.notes)
    places = source.whole(row.get("places"), "quota.places", scope.notes, least=1)
    return Quota(places, scope.fact(row.get("by"), ("number", "amount"), "quota.by"))


def _evidence(data: object, notes: Notes) -> tuple[Paper, ...]:
    found: list[Paper] = []
    for i, row in enumerate(source.listing(data or [], "evidence", notes, least=0, most=30)):
        path = f"evidence[{i}]"
        entry = source.mapping(row, path, notes)
        source.known(entry, ("key", "zh", "en"), path, notes)
        key = source.code(entry.get("key"), f"{path}.key", notes)
        zh = source.text(entry.get("zh"), f"{path}.zh", notes, most=60)
        found.append(
            Paper(key, Bi(zh, source.text(entry.get("en"), f"{path}.en", notes, most=80)))
        )
    return tuple(found)


def _identity(data: object, notes: Notes) -> Identity | None:
    if data is None:
        return None
    row = source.mapping(data, "identity", notes)
    source.known(row, ("same", "once"), "identity", notes)
    keys = source.codes(row.get("same"), "identity.same", notes)
    return Identity(keys, source.flag(row.get("once", False), "identity.once", notes))
