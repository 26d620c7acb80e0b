"""Faults between rules: limits that leave nothing to book, and two rules with one claim."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from booking.domain.rulebook import hours
from booking.domain.rulebook.facts import Place, Renter
from booking.domain.rulebook.kinds import KINDS, RATINGS
from booking.domain.rulebook.params import DAY_MIN, Hours
from booking.domain.rulebook.reading import Fault, Rule

_OTHER = "·"  # a code that no document can name
_MOST_POINTS = 4096
Figure = tuple[str, int | None]


def faults_between(rules: Sequence[Rule]) -> Iterator[Fault]:
    """Every contradiction that some booking could really meet."""
    by_kind: dict[str, list[Rule]] = {}
    for rule in rules:
        by_kind.setdefault(rule.kind, []).append(rule)
    yield from _twins(by_kind)
    for low_kind, high_kind in _PAIRS:
        for low in by_kind.get(low_kind, ()):
            for high in by_kind.get(high_kind, ()):
                if _contradict(low, high) and _meet(low, high, by_kind):
                    yield _fault(low, high)


def _twins(by_kind: Mapping[str, Sequence[Rule]]) -> Iterator[Fault]:
    """Two rules of one kind, one scope and one weight: which of them wins, nobody meant."""
    for kind, rules in by_kind.items():
        if KINDS[kind].all_apply:
            continue
        seen: dict[object, Rule] = {}
        for rule in rules:
            if first := seen.get((rule.scope, rule.weight)):
                yield Fault(
                    f"$.rules[{rule.position}].scope",
                    f"与规则 {first.code} 种类、范围、权重相同",
                    f"Same kind, scope and weight as {first.code}",
                )
            seen.setdefault((rule.scope, rule.weight), rule)


_PAIRS = (
    ("min_length", "max_length"),
    ("min_length", "opening_hours"),
    ("step", "max_length"),
    ("min_notice", "horizon"),
)


def _least(rule: Rule) -> int | None:
    """The minutes that a booking takes at least by this rule."""
    minutes = rule.params["minutes"]
    return minutes if isinstance(minutes, int) else None


def _most(rule: Rule) -> int | None:
    """The minutes that this rule allows at most."""
    params = rule.params
    if rule.kind == "opening_hours":
        stretch = hours.longest(Hours(params["week"], {}))
        return int(stretch / timedelta(minutes=1)) if stretch < hours.AHEAD else None
    if rule.kind == "horizon" and params["days"] is not None:
        return int(params["days"]) * DAY_MIN + (DAY_MIN if params["count"] == "calendar" else 0)
    minutes = params["minutes"]
    return int(minutes) if minutes is not None else None


def _contradict(low: Rule, high: Rule) -> bool:
    least, most = _least(low), _most(high)
    return least is not None and most is not None and least > most


def _fault(low: Rule, high: Rule) -> Fault:
    return Fault(
        f"$.rules[{low.position}].params.minutes",
        f"至少 {_least(low)} 分钟,与规则 {high.code}(至多 {_most(high)} 分钟)矛盾",
        f"At least {_least(low)} minutes contradicts {high.code} (at most {_most(high)})",
    )


def _meet(low: Rule, high: Rule, by_kind: Mapping[str, Sequence[Rule]]) -> bool:
    """Whether both win for some booking."""
    for place, renter in itertools.islice(_points(low, high), _MOST_POINTS):
        if all(winner(by_kind[r.kind], place, renter) is r for r in (low, high)):
            return True
    return False


def winner(rules: Iterable[Rule], place: Place, renter: Renter) -> Rule | None:
    """The most specific of the rules that fit."""
    fitting = (rule for rule in rules if rule.scope.fits(place, renter))
    return max(fitting, key=lambda rule: rule.order, default=None)


def _points(a: Rule, b: Rule) -> Iterator[tuple[Place, Renter]]:
    """Bookings that fall under both scopes, of whatever the rules name and of nothing else.

    Fewer other rules fit what no rule names, so if both ever win, they win at one of these.
    """
    for tenant, space, tag, category, rating, kind, site in itertools.product(
        _both(a.scope.tenants, b.scope.tenants),
        _both(a.scope.spaces, b.scope.spaces),
        itertools.product(a.scope.tenant_tags or [_OTHER], b.scope.tenant_tags or [_OTHER]),
        _both(a.scope.tenant_categories, b.scope.tenant_categories),
        _both(a.scope.ratings, b.scope.ratings, RATINGS),
        _both(a.scope.space_types, b.scope.space_types),
        _both(a.scope.sites, b.scope.sites),
    ):
        yield (
            Place(code=space, type=kind, site=site),
            Renter(code=tenant, category=category, rating=rating, tags=frozenset(tag)),
        )


def _both(
    a: frozenset[str], b: frozenset[str], unnamed: Sequence[str] = (_OTHER,)
) -> Sequence[str]:
    if a and b:
        return sorted(a & b)
    return sorted(a or b) or unnamed
