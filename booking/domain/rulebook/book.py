"""A book: one version of the rules, read once, asked for every booking."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from booking.domain.grid import ZONE
from booking.domain.rulebook.contradictions import faults_between
from booking.domain.rulebook.door import Door
from booking.domain.rulebook.facts import UNUSED, Case, Place, Renter, Usage
from booking.domain.rulebook.hearing import Hearing, Terms
from booking.domain.rulebook.judging import CHECKS, Bench, length_text
from booking.domain.rulebook.kinds import KINDS
from booking.domain.rulebook.params import OWN
from booking.domain.rulebook.quotas import Periods
from booking.domain.rulebook.reading import Fault, Known, Rule, read
from booking.domain.rulebook.selling import Sale, sale
from booking.domain.rulebook.verdict import Broken, Verdict

_MOST_TERMS = 4096
_MOST_RENTERS = 64
_SEEN: Mapping[str, Callable[[Place, Renter], Hashable]] = {
    "tenants": lambda _, renter: renter.code,
    "spaces": lambda place, _: place.code,
    "tenant_tags": lambda _, renter: renter.tags,
    "tenant_categories": lambda _, renter: renter.category,
    "ratings": lambda _, renter: renter.rating,
    "space_types": lambda place, _: place.type,
    "sites": lambda place, _: place.site,
}
_HOLD = timedelta(minutes=10)


class Unreadable(ValueError):
    """The document has faults; it must be checked before it becomes a book."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.path}: {f.reason_en}" for f in faults))
        self.faults = tuple(faults)


def check(document: Any, *, known: Known | None = None) -> list[Fault]:
    """Everything that is wrong with a document, in the order of its parts."""
    reading = read(document, known=known)
    return reading.faults + list(faults_between(reading.rules))


@dataclass(frozen=True, slots=True)
class Book:
    """One version of the rules."""

    version: int
    rules: tuple[Rule, ...]
    week_starts_on: str = "MO"
    digest: str = ""
    zone: tzinfo = ZONE
    periods: Periods = field(init=False, compare=False, repr=False)
    names: frozenset[str] = field(init=False, compare=False, repr=False)
    _terms: dict[tuple[Any, ...], Terms] = field(default_factory=dict, compare=False, repr=False)
    _sales: dict[Renter, dict[Hashable, Sale]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """Note which dimensions some rule names: of others nobody need know anything."""
        named = (name for rule in self.rules for name, codes in rule.scope.named() if codes)
        object.__setattr__(self, "names", frozenset(named))
        object.__setattr__(self, "periods", Periods(self.zone, self.week_starts_on))

    def terms(self, place: Place, renter: Renter) -> Terms:
        """The rules for this space and renter; kept, because the next booking asks again."""
        key = tuple(_SEEN[name](place, renter) for name in self.names)
        if (known := self._terms.get(key)) is not None:
            return known
        if len(self._terms) >= _MOST_TERMS:
            self._terms.clear()
        found = self._terms[key] = _terms(self.rules, place, renter)
        return found

    def figures(self, rule: Rule, place: Place) -> dict[str, int | None]:
        """The plain numbers of a rule in one space, with the space's own figures filled in."""
        own_figures = {
            "step": place.slot_min, "min_length": place.min_min, "capacity": place.capacity,
            "not_in_past": place.slot_min,
        }  # fmt: skip
        return {
            name: own_figures.get(rule.kind) if value == OWN else value
            for name, value in rule.params.items()
            if value is None or value == OWN or type(value) is int
        }

    def hearing(self, case: Case) -> Hearing:
        """Begin to judge a case: first look at what it `needs`, then ask for the verdict."""
        terms = [self.terms(place, case.renter) for place in case.places]
        return Hearing(case, terms, _every(terms), Bench(self.version, self.zone), self.periods)

    def judge(self, case: Case, usage: Usage = UNUSED) -> Verdict:
        """The verdict, with the facts that the case needs at hand."""
        return self.hearing(case).verdict(usage)

    def newly_asking(self, verdict: Verdict, known: Collection[str]) -> Iterator[Broken]:
        """Rules that ask for approval of so many people, and did not ask before."""
        bench = Bench(self.version, self.zone)
        for rule in self.rules:
            most = rule.params.get("over_people")
            if rule.code in verdict.approvals and rule.code not in known and most is not None:
                yield bench.broken(
                    rule, "headcount", most, most,
                    f"超过 {most} 人需基地审批,请重新预订",
                    f"More than {most} people need approval: book anew",
                )  # fmt: skip

    def sale(self, place: Place, renter: Renter) -> Sale:
        """How the place is sold to the renter."""
        return sale(place, self.terms(place, renter).one, self.zone)

    def sales_kept(self, renter: Renter) -> dict[Hashable, Sale]:
        """Room for whoever asks about many places to keep what is sold to the renter."""
        if len(self._sales) >= _MOST_RENTERS:
            self._sales.clear()
        kept = self._sales.setdefault(renter, {})
        if len(kept) >= _MOST_TERMS:
            kept.clear()
        return kept

    def hold_ttl(self, place: Place, renter: Renter) -> timedelta:
        """How long a hold blocks its slot."""
        rule = self.terms(place, renter).one.get("hold_ttl")
        return timedelta(minutes=rule.params["minutes"]) if rule else _HOLD

    def door(self, place: Place, renter: Renter) -> Door:
        """When a stay may begin and when the room is given away."""
        rule = self.terms(place, renter).one.get("check_in")
        if rule is None:
            return Door()
        opens, grace = rule.params["opens_min"], rule.params["grace_min"]
        return Door(
            needed=rule.params["needed"],
            opens=None if opens == "own" else timedelta(minutes=opens),
            grace=None if grace is None else timedelta(minutes=grace),
        )

    def cancelling(
        self, places: Sequence[Place], renter: Renter, starts_at: datetime, *, now: datetime
    ) -> Verdict:
        """Whether a booking may still be cancelled."""
        bench = Bench(self.version, self.zone)
        broken: dict[str, Broken] = {}
        for place in places:
            rule = self.terms(place, renter).one.get("cancel_cutoff")
            if rule is None or rule.params["minutes"] is None:
                continue
            latest = starts_at - timedelta(minutes=rule.params["minutes"])
            if now > latest:
                zh, en = length_text(rule.params["minutes"])
                broken[rule.code] = bench.broken(
                    rule, "at", latest, None,
                    f"须至少提前 {zh}取消", f"To be cancelled at least {en} ahead",
                )  # fmt: skip
        return Verdict(self.version, tuple(broken.values()))


def _terms(rules: Iterable[Rule], place: Place, renter: Renter) -> Terms:
    one: dict[str, Rule] = {}
    every: list[Rule] = []
    for rule in rules:
        if not rule.scope.fits(place, renter):
            continue
        if KINDS[rule.kind].all_apply:
            every.append(rule)
        elif rule.kind not in one or rule.order > one[rule.kind].order:
            one[rule.kind] = rule
    checks = tuple((check_one, one[kind]) for kind, check_one in CHECKS.items() if kind in one)
    return Terms(one, _without_replaced(every), checks)


def _every(terms: Sequence[Terms]) -> list[Rule]:
    """The rules that apply to a booking of several spaces: those of any of them, once."""
    if len(terms) == 1:
        return list(terms[0].every)
    found = {rule.code: rule for each in terms for rule in each.every}
    return list(_without_replaced(sorted(found.values(), key=lambda rule: rule.position)))


def _without_replaced(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    replaced = {code for rule in rules for code in rule.replaces}
    return tuple(rule for rule in rules if rule.code not in replaced)


def compile_book(
    document: Any, *, version: int = 0, digest: str = "", zone: tzinfo = ZONE
) -> Book:
    """The book that a document describes.

    Raises:
        Unreadable: the document has faults.
    """
    reading = read(document)
    if reading.faults:
        raise Unreadable(reading.faults)
    return Book(version, tuple(reading.rules), reading.week_starts_on, digest, zone)
