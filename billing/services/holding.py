"""Holds one document of a run back, and lets one that was left out try again."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, NotFound
from billing.domain.quarantine import FOR_GOOD, HELD, reason
from billing.models import InvoiceRun, RunEntry, RunRules
from billing.models.invoices import RunStatus
from billing.services import runs

_NOT_MADE = (RunStatus.PREVIEW, RunStatus.APPROVED, RunStatus.ISSUING)
_ENDED = (RunStatus.ISSUED, RunStatus.FAILED)
RULES = ("second_person_from_fen", "change_percent", "change_from_fen")


class NoSuchEntry(NotFound):
    """The run has no document at this place."""

    code, title_zh, title_en = "no_such_entry", "该批次没有此单据", "No such document in this run"


class EntryDone(Conflict):
    """The document is issued already, or nothing keeps it back."""

    code, title_zh, title_en = (
        "entry_not_held",
        "该单据已开具或未被隔离",
        "It is issued, or nothing keeps it back",
    )


class EntryStuck(Conflict):
    """What keeps the document back is still true; its charges go to a later run."""

    code, title_zh, title_en = (
        "entry_stuck",
        "隔离原因仍在，未开部分转入下一批次",
        "What keeps it back is still true; a later run will have its charges",
    )


def hold(*, run_id: int, position: int, why: str, actor: Actor, now: datetime) -> RunEntry:
    """Leave one document out of a run that is not at its end; its charges stay open.

    Raises:
        documents.NoSuchRun, NoSuchEntry: there is none.
        runs.WrongState: the run has ended.
        EntryDone: the document is issued.
    """
    with transaction.atomic():
        run, entry = _found(run_id, position)
        if run.status not in _NOT_MADE:
            raise runs.WrongState(f"run {run_id} is {run.status}", state=run.status)
        if entry.invoice_id is not None:
            raise EntryDone(f"{run_id}/{position}")
        _save(run, entry, (HELD, why), actor, now)
    return entry


def release(*, run_id: int, position: int, actor: Actor, now: datetime) -> RunEntry:
    """Let a document that was left out try again; a run that had ended goes on with it.

    Raises:
        documents.NoSuchRun, NoSuchEntry: there is none.
        EntryDone: the document is issued, or not kept back.
        EntryStuck: what keeps it back is still true.
        runs.WrongState: the run was superseded.
        runs.RunOverlaps: another run is approved or being issued.
    """
    with transaction.atomic():
        runs.take_turn()
        run, entry = _found(run_id, position)
        if entry.invoice_id is not None or not entry.problem:
            raise EntryDone(f"{run_id}/{position}")
        if run.status == RunStatus.SUPERSEDED:
            raise runs.WrongState(f"run {run_id} is {run.status}", state=run.status)
        if entry.problem in FOR_GOOD:
            words = reason(entry.problem)
            raise EntryStuck(words.en, problem=entry.problem)
        if run.status in _ENDED:
            runs.refuse_rivals(run, RunStatus.APPROVED, RunStatus.ISSUING)
            run.status, run.issued_at = RunStatus.ISSUING, None
            run.save(update_fields=["status", "issued_at"])
        _save(run, entry, ("", ""), actor, now)
    return entry


def _found(run_id: int, position: int) -> tuple[InvoiceRun, RunEntry]:
    """The run, locked, and its document."""
    run = runs.locked(run_id)
    entry = run.entries.select_related("tenant", "invoice").filter(position=position).first()
    if entry is None:
        raise NoSuchEntry(f"{run_id}/{position}")
    return run, entry


def _save(
    run: InvoiceRun, entry: RunEntry, problem: tuple[str, str], actor: Actor, now: datetime
) -> None:
    before = {"problem": entry.problem, "note": entry.note}
    entry.problem, entry.note = problem
    entry.save(update_fields=["problem", "note"])
    audit.record(
        actor=actor,
        action="run.hold" if entry.problem else "run.release",
        object_type="invoice_run",
        object_code=f"{run.pk}/{entry.position}",
        before=before,
        after={"problem": entry.problem, "note": entry.note},
        now=now,
    )
    runs.publish(run, now, last=entry)


def edit_rules(
    *, wish: dict[str, int], actor: Actor, check: Callable[[int], None], now: datetime
) -> RunRules:
    """Change the rules of runs; raises what `check` raises of their version."""
    with transaction.atomic():
        RunRules.objects.get_or_create(pk=1)
        row = RunRules.objects.select_for_update().get(pk=1)
        check(row.version)
        before = {name: getattr(row, name) for name in RULES}
        for name in RULES:
            setattr(row, name, wish[name])
        row.version += 1
        row.save()
        audit.record(
            actor=actor,
            action="run.rules",
            object_type="run_rules",
            object_code="runs",
            before=before,
            after={name: getattr(row, name) for name in RULES},
            now=now,
        )
    return row
