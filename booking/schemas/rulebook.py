"""What goes in and out of the endpoints of the rules."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field, StringConstraints

from base_ops.core.instants import Instant
from booking.domain import rulebook
from booking.domain.rulebook import Broken, Fault, Rule, texts
from booking.models import RuleBook
from booking.schemas.bookings import WishIn


class RuleOut(Schema):
    """One rule in words; `scope` names only spaces and their types to tenants."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    scope: dict[str, list[str]]
    overridable_by: list[str]
    params: dict[str, Any] | None = None


class RulesOut(Schema):
    """The rules in force; `document` is what staff edit; a tenant gets what concerns it."""

    version: int
    valid_from: datetime
    rules: list[RuleOut]
    document: dict[str, Any] | None = None


class RuleVersionOut(Schema):
    """One version, without its document."""

    version: int
    valid_from: datetime
    created_at: datetime
    created_by: str
    note: str
    digest: str


class RulesIn(Schema):
    """The next version of the rules; in force at once, or from `valid_from` on."""

    document: dict[str, Any]
    valid_from: Instant | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=240)] = ""


class RulesDraftIn(Schema):
    """A draft to be checked, and a wish to be judged by it, if any."""

    document: dict[str, Any]
    wish: WishIn | None = None


class FaultOut(Schema):
    """One thing that is wrong with a draft, and where."""

    path: str
    reason_zh: str
    reason_en: str


class BrokenOut(Schema):
    """One broken rule: its limit, what would be accepted, and who may override it."""

    rule: str
    kind: str
    rules_version: int
    field: str
    limit: Any
    accepted: Any
    overridable: bool
    overridable_by: list[str]
    reason_zh: str
    reason_en: str


class RulesCheckOut(Schema):
    """What is wrong with a draft, and what it would say of the wish."""

    faults: list[FaultOut]
    broken: list[BrokenOut] | None = None
    approvals: list[str] | None = None


class ApplicableOut(Schema):
    """The rules that meet in one space and tenant."""

    version: int
    space: str
    tenant: str
    rules: list[RuleOut]
    needs_approval: Annotated[bool, Field(description="whatever the length or headcount")]


_TO_TENANTS = ("spaces", "space_types", "sites")


def rule_out(rule: Rule, *, inside: bool) -> RuleOut:
    """A rule in words; who else it is for stays inside the base."""
    kind, (zh, en) = rulebook.KINDS[rule.kind], texts.describe(rule)
    return RuleOut(
        code=rule.code,
        kind=rule.kind,
        name_zh=kind.zh,
        name_en=kind.en,
        text_zh=zh,
        text_en=en,
        scope={
            name: sorted(named)
            for name, named in rule.scope.named()
            if named and (inside or name in _TO_TENANTS)
        },
        overridable_by=list(rule.overridable_by) if inside else [],
    )


def version_out(row: RuleBook) -> RuleVersionOut:
    """One version."""
    return RuleVersionOut.model_validate(
        {name: getattr(row, name) for name in RuleVersionOut.model_fields}
    )


def faults_out(faults: list[Fault]) -> list[FaultOut]:
    """Faults as they are answered."""
    return [FaultOut(**fault.as_json()) for fault in faults]


def broken_out(broken: tuple[Broken, ...]) -> list[BrokenOut]:
    """Broken rules as they are answered."""
    return [BrokenOut(**b.as_json()) for b in broken]
