"""The rules in force, and which of them are for which device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from devices.domain.alarmrules.reading import faults_as_text, read
from devices.domain.alarmrules.rules import BY_SAMPLE, Kind, Rule, Scope

POWER = "power_w"  # what a meter's load is reckoned from


@dataclass(frozen=True, slots=True)
class Subject:
    """What scopes look at."""

    code: str
    kind: str
    model: str
    role: str
    space: str
    space_type: str


@dataclass(frozen=True)
class Book:
    """One version of the rules, in order: where one fits, the first does."""

    version: int
    rules: Sequence[Rule]
    faults: str = ""

    @cached_property
    def by_code(self) -> Mapping[str, Rule]:
        """Every rule, enabled or not."""
        return {rule.code: rule for rule in self.rules}

    def of_kind(self, kind: Kind) -> list[Rule]:
        """The enabled rules of a kind."""
        return [rule for rule in self.rules if rule.enabled and rule.kind is kind]

    def first(self, kind: Kind, subject: Subject) -> Rule | None:
        """The rule of a kind that a device lives by, or None."""
        return next((r for r in self.of_kind(kind) if concerns(r.scope, subject)), None)

    def event(self, name: str, subject: Subject) -> Rule | None:
        """The rule for an event that a device reports, or None."""
        for rule in self.of_kind(Kind.EVENT):
            if name in rule.params["names"] and concerns(rule.scope, subject):
                return rule
        return None

    def told(self, code: str) -> Rule | None:
        """The rule for what those above raise, or None where it is not wanted."""
        rule = self.by_code.get(code)
        return rule if rule is not None and rule.enabled and rule.kind is Kind.TOLD else None

    def by_metric(self, subject: Subject) -> dict[str, tuple[Rule, ...]]:
        """The rules that look at single measurements of a device, by metric."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.enabled and rule.kind in BY_SAMPLE and concerns(rule.scope, subject):
                metric = POWER if rule.kind is Kind.LOAD else rule.metric
                found.setdefault(str(metric), []).append(rule)
        return {metric: tuple(rules) for metric, rules in found.items()}

    def wants(self, code: str, rule_code: str, subject: Subject) -> bool:
        """Whether an open alarm of a device still has its rule."""
        rule = self.by_code.get(rule_code)
        return (
            rule is not None
            and rule.enabled
            and rule.alarm_code == code
            and concerns(rule.scope, subject)
        )


def concerns(scope: Scope, subject: Subject) -> bool:
    """Whether a device is in a scope."""
    return (
        (not scope.kinds or subject.kind in scope.kinds)
        and (not scope.models or subject.model in scope.models)
        and (not scope.roles or subject.role in scope.roles)
        and (not scope.space_types or subject.space_type in scope.space_types)
        and (not scope.spaces or subject.space in scope.spaces)
        and (not scope.devices or subject.code in scope.devices)
    )


def compiled(document: Any, version: int) -> Book:
    """The book of a document that was checked before it was kept.

    A rule that an earlier release took and this one does not understand is left out and named in
    `faults`: no rule may keep the base from taking in what its devices say.
    """
    reading = read(document)
    return Book(version, tuple(reading.rules), faults_as_text(reading.faults))
