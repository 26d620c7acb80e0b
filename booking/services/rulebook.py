"""Deeds on the rules: the first version, and new ones; each is written once and on record."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from base_ops.core import audit, errors
from base_ops.core.actors import SYSTEM, Actor
from booking import selectors
from booking.domain import rulebook
from booking.domain.rulebook import standard
from booking.models import RuleBook


class BadRules(errors.Invalid):
    """The document has faults; `faults` lists every one with its path."""

    code, title_zh, title_en = "bad_rules", "规则文档有误", "The rules have faults"


class RulesInThePast(errors.Invalid):
    """Rules cannot have been in force before anybody wrote them."""

    code, title_zh, title_en = (
        "rules_in_the_past",
        "规则不能追溯生效",
        "Rules cannot take effect in the past",
    )


def ensure_rules(*, now: datetime) -> None:
    """Write the standard book as version 1 where there are no rules yet."""
    if not RuleBook.objects.exists():
        RuleBook.objects.bulk_create(
            [
                _row(
                    standard.document(),
                    version=standard.VERSION,
                    valid_from=datetime.fromisoformat("2000-01-01T00:00:00+08:00"),
                    created_by=SYSTEM.label,
                    note=standard.NOTE,
                    now=now,
                )
            ],
            ignore_conflicts=True,
        )


def publish_rules(
    *,
    document: Mapping[str, Any],
    valid_from: datetime | None = None,
    note: str = "",
    actor: Actor,
    check: Callable[[int], None] = lambda version: None,
    now: datetime,
) -> RuleBook:
    """Write the next version, in force from `valid_from` on (now when None).

    `check` sees the newest version before anything is written: it compares versions.

    Raises:
        BadRules: with every fault.
        RulesInThePast: `valid_from` is over.
    """
    check_document(document)
    if valid_from is not None and valid_from < now:
        raise RulesInThePast(
            valid_from.isoformat(),
            fields=[
                errors.FieldFault("valid_from", RulesInThePast.title_zh, RulesInThePast.title_en)
            ],
        )
    with transaction.atomic():
        newest = selectors.newest_rules(lock=True)
        check(newest.version)
        row = _row(
            document,
            version=newest.version + 1,
            valid_from=valid_from or now,
            created_by=actor.label,
            note=note,
            now=now,
        )
        row.save()
        audit.record(
            actor=actor,
            action="booking_rules.publish",
            object_type="booking_rules",
            object_code=str(row.version),
            before={"version": newest.version, "digest": newest.digest},
            after={
                "version": row.version,
                "digest": row.digest,
                "valid_from": row.valid_from.isoformat(),
                "note": note,
                **_changes(newest.document, document),
            },
            now=now,
        )
    return row


def check_document(document: Mapping[str, Any]) -> None:
    """Let only a document without faults pass.

    Raises:
        BadRules: names all of them.
    """
    faults = rulebook.check(document, known=selectors.known_codes())
    if faults:
        raise BadRules(
            f"{len(faults)} faults",
            fields=[errors.FieldFault(f.path, f.reason_zh, f.reason_en) for f in faults],
            faults=[f.as_json() for f in faults],
        )


def _row(document: Mapping[str, Any], *, now: datetime, **fields: Any) -> RuleBook:
    return RuleBook(document=dict(document), digest=digest_of(document), created_at=now, **fields)


def digest_of(document: Mapping[str, Any]) -> str:
    """The fingerprint of a document, whatever the order of its keys."""
    plain = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()[:15]


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which rules came, went, or changed, by code."""
    before = {rule["code"]: rule for rule in old["rules"]}
    after = {rule["code"]: rule for rule in new["rules"]}
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(c for c in before.keys() & after.keys() if before[c] != after[c]),
    }
