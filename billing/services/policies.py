"""Policies are checked, saved as the next version, put in force on a day, and withdrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Max

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, Invalid, NotFound
from billing.domain.policies import Policy
from billing.domain.policylang import cases, compiling, judging, rules
from billing.domain.policylang.conditions import facts_asked
from billing.domain.policylang.judging import Outcome
from billing.domain.policylang.rules import Rule
from billing.domain.policylang.situations import KNOWN
from billing.domain.policylang.source import Fault, Refused
from billing.domain.texts import Bi, local_day
from billing.models import Budget, PolicyRow, PriceBookVersion
from billing.models.book import PolicyState

LONGEST_YEARS: Final = 10


class PolicyNotReadable(Invalid):
    """The document is not in the language; every field with its path and reason."""

    code, title_zh, title_en = "policy_not_readable", "政策文本有误", "The policy cannot be read"


class PolicyVersionTaken(Conflict):
    """Somebody saved a version meanwhile: look at it, and save the one after."""

    code, title_zh, title_en = (
        "policy_version_taken",
        "版本已被他人保存",
        "Another version was saved meanwhile",
    )


class PolicyStateForbids(Conflict):
    """Only a draft is put in force; what is withdrawn stays so."""

    code, title_zh, title_en = (
        "policy_state_forbids",
        "当前状态不允许此操作",
        "The policy's state forbids this",
    )


class PolicyDayPassed(Invalid):
    """Policies change from today on: what was priced before stays as it was."""

    code, title_zh, title_en = (
        "policy_day_passed",
        "生效日期不能早于今天",
        "Policies change from today on, not before",
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What an editor should know before saving: faults forbid it, warnings do not."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()
    next_version: int = 1
    outcome: Outcome | None = None


def check(document: Mapping[str, Any], *, case: Mapping[str, Any] | None = None) -> Checked:
    """Check a draft; with a case, also what it would give and why. Nothing is written."""
    try:
        rule = rules.read(document)
    except Refused as exc:
        return Checked(exc.faults)
    upcoming = next_version(rule.code)
    warnings = tuple(_warnings(rule, upcoming))
    if case is None:
        return Checked((), warnings, upcoming)
    try:
        known = cases.read(case, rule)
    except Refused as exc:
        faults = tuple(Fault(f"case.{f.path}", f.reason) for f in exc.faults)
        return Checked(faults, warnings, upcoming)
    return Checked((), warnings, upcoming, judging.judge(rule, known))


def next_version(code: str) -> int:
    """The version that a policy of this code would be saved as."""
    newest = PolicyRow.objects.filter(code=code).aggregate(n=Max("version"))["n"]
    return (newest or 0) + 1


def _warnings(rule: Rule, upcoming: int) -> list[Fault]:
    """What is allowed and perhaps not meant."""
    found: list[Fault] = []
    if rule.version != upcoming:
        text = Bi(f"下一个版本应为{upcoming}", f"the next version is {upcoming}")
        found.append(Fault("version", text))
    asked = facts_asked(rule.when) if rule.when else frozenset()
    if rule.amount is None:
        for name in sorted(asked - KNOWN):
            fact = rule.types[name].name
            text = Bi(
                f"预订时不知道{fact.zh}，该条件永不成立",
                f"{fact.en} is not known when booking: the condition never holds",
            )
            found.append(Fault("when", text))
    if rule.funding == "district_fiscal" and rule.budget is None and not rule.caps:
        text = Bi("区财政资金未设预算或上限", "district money without a budget or a cap")
        found.append(Fault("budget", text))
    return found


def save_policy(*, document: Mapping[str, Any], actor: Actor, now: datetime) -> PolicyRow:
    """Save the next version as a draft; nothing in force changes.

    Raises:
        PolicyNotReadable: the document is not in the language.
        PolicyVersionTaken: its version is not the next one of its code.
    """
    rule, policy = _read(document)
    with transaction.atomic():
        _lock()
        upcoming = next_version(rule.code)
        if rule.version != upcoming:
            raise PolicyVersionTaken(
                f"the next version of {rule.code} is {upcoming}", next_version=upcoming
            )
        row = PolicyRow.objects.create(
            code=rule.code,
            version=rule.version,
            kind=policy.kind,
            name_zh=rule.name.zh,
            name_en=rule.name.en,
            label_zh=rule.label.zh,
            label_en=rule.label.en,
            funding=rule.funding,
            valid_from=rule.valid_from,
            valid_to=rule.valid_to,
            data=dict(document),
            state=PolicyState.DRAFT,
            saved_at=now,
            saved_by=actor.label[:160],
        )
        _record(actor, "policy.save", row, now)
    return row


def _read(document: Mapping[str, Any]) -> tuple[Rule, Policy]:
    try:
        rule = rules.read(document)
    except Refused as exc:
        raise unreadable(exc.faults) from exc
    return rule, compiling.compiled(rule)


def unreadable(faults: Sequence[Fault]) -> PolicyNotReadable:
    """The refusal that names every fault."""
    return PolicyNotReadable(
        "; ".join(f"{f.path}: {f.reason.en}" for f in faults),
        fields=[FieldFault(f.path, f.reason.zh, f.reason.en) for f in faults],
    )


def activate_policy(
    *, code: str, version: int, first: date, last: date | None, actor: Actor, now: datetime
) -> PolicyRow:
    """Put a draft in force on its days; the version before it ends the day before.

    Its budget is opened for each of its years; a budget that is there keeps its limit.

    Raises:
        NotFound: there is no such version.
        PolicyStateForbids: it is not a draft, or is older than one in force.
        PolicyDayPassed: the first day is before today, or the last before the first.
    """
    with transaction.atomic():
        _lock()
        row = _row(code, version)
        if row.state != PolicyState.DRAFT:
            raise PolicyStateForbids(f"{row} is {row.state}", state=row.state)
        newer = PolicyRow.objects.filter(
            code=code, state=PolicyState.ACTIVE, version__gt=version, valid_to__gte=first
        )
        if newer.exists():
            raise PolicyStateForbids(f"a newer version of {code} is in force", state=row.state)
        row.valid_from, row.valid_to = first, last or max(row.valid_to, first)
        _check_days(row, now)
        row.state = PolicyState.ACTIVE
        row.save(update_fields=["state", "valid_from", "valid_to"])
        _open_budgets(row)
        _publish()
        _record(actor, "policy.activate", row, now)
    return row


def _check_days(row: PolicyRow, now: datetime) -> None:
    if row.valid_from < local_day(now):
        raise PolicyDayPassed(f"{row.valid_from} is before today")
    longest = row.valid_from + timedelta(days=366 * LONGEST_YEARS)
    if not row.valid_from <= row.valid_to <= longest:
        raise PolicyDayPassed(
            f"the last day must lie within {LONGEST_YEARS} years after the first",
            fields=[FieldFault("to", "结束日期不合理", "not a last day for this first day")],
        )


def _open_budgets(row: PolicyRow) -> None:
    limit_fen = compiling.load(row.data).budget_year_fen
    if limit_fen is None:
        return
    Budget.objects.bulk_create(
        (
            Budget(policy_code=row.code, year=year, limit_fen=limit_fen)
            for year in range(row.valid_from.year, row.valid_to.year + 1)
        ),
        ignore_conflicts=True,
    )


def withdraw_policy(
    *, code: str, version: int, last: date, actor: Actor, now: datetime
) -> PolicyRow:
    """End a version after its last day; one that has not begun by then never does.

    What was priced under it stays as it was; no older version comes back.

    Raises:
        NotFound: there is no such version.
        PolicyStateForbids: it was withdrawn before it began, or has ended.
        PolicyDayPassed: the last day is before yesterday, so it would have ended in the past.
    """
    with transaction.atomic():
        _lock()
        row = _row(code, version)
        if row.state == PolicyState.WITHDRAWN or row.valid_to < last:
            raise PolicyStateForbids(f"{row} has ended", state=row.state)
        if last < local_day(now) - timedelta(days=1):
            raise PolicyDayPassed(f"{last} has passed")
        if row.state == PolicyState.DRAFT or last < row.valid_from:
            row.state = PolicyState.WITHDRAWN
        else:
            row.valid_to = last
        row.save(update_fields=["state", "valid_to"])
        _publish()
        _record(actor, "policy.withdraw", row, now)
    return row


def _lock() -> None:
    """One editor at a time."""
    if PriceBookVersion.objects.select_for_update().filter(pk=1).first() is None:
        raise NotFound("no price book was loaded yet")


def _publish() -> None:
    """Every process reads the book again before it prices the next booking."""
    PriceBookVersion.objects.filter(pk=1).update(serial=F("serial") + 1)


def _row(code: str, version: int) -> PolicyRow:
    row = PolicyRow.objects.select_for_update().filter(code=code, version=version).first()
    if row is None:
        raise NotFound(f"no version {version} of {code}")
    return row


def _record(actor: Actor, action: str, row: PolicyRow, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="policy",
        object_code=f"{row.code}/{row.version}",
        after={
            "state": row.state,
            "valid_from": row.valid_from.isoformat(),
            "valid_to": row.valid_to.isoformat(),
        },
        now=now,
    )
