"""What the rules say of a case: everything that is broken, who may override it, and approvals."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from base_ops.core.errors import FieldFault, Invalid

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken rule: its limit, and what would be accepted.

    `accepted` is a value for `field` (an instant in ISO 8601, or a number) with which this rule
    would be kept; None when no value of that field would do.
    """

    code: str
    field: str
    limit: Any
    accepted: Any
    reason_zh: str
    reason_en: str
    kind: str = ""
    version: int = 0
    overridable_by: tuple[str, ...] = ()

    @property
    def overridable(self) -> bool:
        """Whether anybody may override it."""
        return bool(self.overridable_by)

    def may_be_waived_by(self, role: str) -> bool:
        """Whether somebody with this role may override it; administrators whatever others may."""
        return role in self.overridable_by or (role == ADMIN and self.overridable)

    def as_json(self) -> dict[str, Any]:
        """For the answer's `broken` list."""
        return {
            "rule": self.code,
            "kind": self.kind,
            "rules_version": self.version,
            "field": self.field,
            "limit": self.limit,
            "accepted": self.accepted,
            "overridable": self.overridable,
            "overridable_by": list(self.overridable_by),
            "reason_zh": self.reason_zh,
            "reason_en": self.reason_en,
        }


class RulesBroken(Invalid):
    """One or more rules are broken; `fields` and `broken` list all of them."""

    code = "rules_broken"
    title_zh = "不符合预订规则"
    title_en = "The booking breaks a rule"


def refusal(
    broken: Collection[Broken], *, version: int, kind: type[RulesBroken] = RulesBroken
) -> RulesBroken:
    """The error that names all of these."""
    return kind(
        ", ".join(b.code for b in broken),
        fields=[FieldFault(b.field, b.reason_zh, b.reason_en) for b in broken],
        broken=[b.as_json() for b in broken],
        rules_version=version,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one version of the rules says of a case."""

    version: int
    broken: tuple[Broken, ...] = ()
    approvals: tuple[str, ...] = ()

    @property
    def needs_approval(self) -> bool:
        """Whether the booking must wait for the base."""
        return bool(self.approvals)

    def waived(self, *, override: Collection[str], role: str) -> tuple[Broken, ...]:
        """The broken rules that somebody of this role overrides.

        Raises:
            RulesBroken: any other rule is broken.
        """
        waived = tuple(b for b in self.broken if b.code in override and b.may_be_waived_by(role))
        if refused := [b for b in self.broken if b not in waived]:
            raise refusal(refused, version=self.version)
        return waived
