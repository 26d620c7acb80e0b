"""Invoice runs: preview → approve → issue. Killed anywhere and resumed, the result is the same."""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import DataError, IntegrityError, InternalError, connection, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Abs

from base_ops.core import audit, live
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, Forbidden, Invalid
from billing.domain.quarantine import REFUSED
from billing.domain.texts import local_day
from billing.models import InvoiceRun, RunEntry
from billing.models.invoices import RunStatus
from billing.selectors import documents
from billing.selectors.run_rules import run_rules
from billing.services import comparing, issuing, planning

logger = logging.getLogger(__name__)

_LOCK = 7_302_611  # one at a time decides which run goes on
_LONGEST = timedelta(days=400)
_YEARS = range(2000, 2101)
_REFUSALS = (IntegrityError, DataError, InternalError)  # of the document; not of the connection


class InputsChanged(Conflict):
    """The charges are no longer those that were previewed."""

    code, title_zh, title_en = "inputs_changed", "计费数据已变化，请重新预览", "Preview again"


class WrongState(Conflict):
    """The run is not at the step for this."""

    code, title_zh, title_en = "run_state", "当前状态不允许此操作", "Not possible at this step"


class EmptyPeriod(Invalid):
    """The period ends before it begins."""

    code, title_zh, title_en = "empty_period", "期间无效", "The period is empty"


class PeriodOutOfRange(Invalid):
    """The period has not begun, is longer than 400 days, or is not of this century."""

    code, title_zh, title_en = "period_out_of_range", "期间超出允许范围", "Period out of range"


class SecondPersonNeeded(Forbidden):
    """So much that whoever previewed the run may not approve it too."""

    code, title_zh, title_en = (
        "second_person_needed",
        "金额较大，须由另一人审批",
        "Somebody else must approve so much",
    )


class RunOverlaps(Conflict):
    """Another run that is under way has the same days or the same charges."""

    code, title_zh, title_en = "run_overlaps", "另一账单批次尚未完成", "Another run is under way"


def preview_run(*, period_from: date, period_to: date, actor: Actor, now: datetime) -> InvoiceRun:
    """Freeze all open charges with use up to `period_to`; late facts of earlier periods too.

    Older previews of the same period are superseded.

    Raises:
        EmptyPeriod: the period ends before it begins.
        PeriodOutOfRange: it begins after today, or is absurd.
    """
    _check_period(period_from, period_to, today=local_day(now))
    with transaction.atomic():
        InvoiceRun.objects.filter(
            status=RunStatus.PREVIEW, period_from=period_from, period_to=period_to
        ).update(status=RunStatus.SUPERSEDED)
        run = InvoiceRun.objects.create(
            period_from=period_from,
            period_to=period_to,
            last_charge_id=planning.newest_charge(),
            created_by=actor.label,
            created_key=_key(actor),
            created_at=now,
        )
        planning.freeze(run)
        comparing.compare(run)
        _record(run, "run.preview", actor, now)
        publish(run, now)
    return run


def _key(actor: Actor) -> str:
    """Who it is beyond doubt: labels may be alike."""
    return f"{actor.kind}:{actor.id}"[:80]


def _check_period(first: date, last: date, *, today: date) -> None:
    """Let through what has begun; the month under way may be run before its end."""
    if last < first:
        raise EmptyPeriod(f"{first} .. {last}")
    sane = first.year in _YEARS and last.year in _YEARS and last - first <= _LONGEST
    if not sane or first > today:
        raise PeriodOutOfRange(f"{first} .. {last}")


def approve_run(
    *, run_id: int, inputs_hash: str | None = None, actor: Actor, now: datetime
) -> InvoiceRun:
    """Approve a preview.

    Args:
        run_id: the run.
        inputs_hash: what the approver saw; checked when given.
        actor: who approves.
        now: the present instant.

    Raises:
        WrongState: it is not a preview.
        InputsChanged: its charges changed since the preview.
        RunOverlaps: another run is approved or being issued.
        SecondPersonNeeded: it is so much that somebody else must approve it.
    """
    with transaction.atomic():
        take_turn()
        run = locked(run_id)
        if run.status != RunStatus.PREVIEW:
            raise WrongState(f"run {run_id} is {run.status}", state=run.status)
        if inputs_hash is not None and inputs_hash != run.inputs_hash:
            raise InputsChanged("another preview was approved than the one that was seen")
        refuse_rivals(run, RunStatus.APPROVED, RunStatus.ISSUING)
        _check_inputs(run)
        _check_person(run, actor)
        run.status, run.approved_by, run.approved_at = RunStatus.APPROVED, actor.label, now
        run.approved_key = _key(actor)
        names = ["status", "approved_by", "approved_key", "approved_at", "second_person"]
        run.save(update_fields=names)
        _record(run, "run.approve", actor, now)
        publish(run, now)
    return run


def _check_person(run: InvoiceRun, actor: Actor) -> None:
    """Refuse who previewed it, when the amounts together are as much as the rules say.

    Raises:
        SecondPersonNeeded: with the limit.
    """
    limit_fen = run_rules().second_person_from_fen
    amounts = run.entries.aggregate(n=Sum(Abs("gross_fen")))["n"] or 0
    run.second_person = amounts >= limit_fen
    same = _key(actor) == run.created_key or actor.label == run.created_by
    if run.second_person and same:
        raise SecondPersonNeeded(
            f"{amounts} fen, and {actor.label} previewed it", from_fen=limit_fen
        )


def ask_issue(*, run_id: int, actor: Actor, now: datetime) -> InvoiceRun:
    """Ask for the documents of an approved run; the job `issue_invoice_runs` makes them.

    Asking again changes nothing.

    Raises:
        WrongState: it is not approved.
        InputsChanged: its charges changed since the approval.
        RunOverlaps: another run is being issued. One that is only approved cannot be here by
            `approve_run`; of two from before, either may go on, and the other's charges changed.
    """
    with transaction.atomic():
        take_turn()
        run = locked(run_id)
        if run.status in (RunStatus.ISSUING, RunStatus.ISSUED):
            return run
        if run.status != RunStatus.APPROVED:
            raise WrongState(f"run {run_id} is {run.status}", state=run.status)
        refuse_rivals(run, RunStatus.ISSUING)
        _check_inputs(run)
        run.status, run.issue_asked_at = RunStatus.ISSUING, now
        run.save(update_fields=["status", "issue_asked_at"])
        _record(run, "run.issue", actor, now)
        publish(run, now)
    return run


def issue_due(now: datetime) -> int:
    """Carry on with every run that is being issued; returns how many documents were made."""
    made = 0
    for run_id in InvoiceRun.objects.filter(status=RunStatus.ISSUING).values_list("id", flat=True):
        while (more := issue_next(run_id=run_id, now=now)) is not None:
            made += more
    return made


def issue_next(
    *, run_id: int, now: datetime, batch: issuing.Batch = issuing.STANDARD
) -> int | None:
    """Make the next documents of a run, in a transaction of their own.

    The run's row is locked, so two at once take turns and the order of numbers is always the same.
    When the database refuses the batch, its documents are tried one by one, and only the one that
    is to blame is put aside.

    Returns:
        How many were made; None when nothing is left to make.
    """
    try:
        return _issue(run_id, now, batch)
    except _REFUSALS:
        logger.warning("run.one_by_one", extra={"run": run_id}, exc_info=True)
    made = 0
    for _ in range(batch.documents):
        if (more := _issue(run_id, now, issuing.ALONE)) is None:
            break
        made += more
    return made


def _issue(run_id: int, now: datetime, batch: issuing.Batch) -> int | None:
    with transaction.atomic():
        run = locked(run_id)
        if run.status != RunStatus.ISSUING:
            return None
        picked = issuing.pick(run, batch)
        if not picked.entries:
            _finish(run, now)
            return None
        made, last = 0, picked.entries[-1]
        try:
            with transaction.atomic():
                made = issuing.issue(picked, run=run, now=now)
        except _REFUSALS as exc:
            if batch.documents > 1:
                raise
            _put_aside(last, exc)
        run.entries_done += made
        run.save(update_fields=["entries_done"])
        publish(run, now, last=run.entries.select_related("tenant", "invoice").get(pk=last))
    return made


def _put_aside(entry_id: int, exc: Exception) -> None:
    """Quarantine one document that the database refused, and say which rule it was."""
    diagnosis = getattr(exc.__cause__, "diag", None)
    rule = getattr(diagnosis, "constraint_name", None) or type(exc).__name__
    RunEntry.objects.filter(pk=entry_id).update(problem=REFUSED, note=rule[:200])
    logger.error("run.quarantined", extra={"entry": entry_id, "rule": rule}, exc_info=exc)


def _finish(run: InvoiceRun, now: datetime) -> None:
    """No document is left to make; a run that made none of its documents has failed."""
    if run.entries_total and not run.entries_done:
        run.status = RunStatus.FAILED
    else:
        run.status, run.issued_at = RunStatus.ISSUED, now
    run.save(update_fields=["status", "issued_at"])
    logger.info(
        "run.ended",
        extra={"run": run.pk, "status": run.status, "documents": run.entries_done},
    )
    publish(run, now)


def take_turn() -> None:
    """One approval or start of issue at a time, until its transaction ends; before any row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def refuse_rivals(run: InvoiceRun, *statuses: RunStatus) -> None:
    """Refuse beside another run at these steps with days or charges of this one.

    A run takes late charges of earlier periods too, so runs of different months can share some.
    An approved run whose charges changed can never be issued, and stands in nobody's way.

    Raises:
        RunOverlaps: with the other run's id.
    """
    for other in planning.rivals(run, statuses):
        if other.status == RunStatus.ISSUING or planning.is_unchanged(other):
            raise RunOverlaps(f"run {other.pk} is {other.status}", run=other.pk)


def locked(run_id: int) -> InvoiceRun:
    """The run, with its row locked.

    Raises:
        documents.NoSuchRun: there is none.
    """
    run = InvoiceRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        raise documents.NoSuchRun(f"run {run_id}")
    return run


def _check_inputs(run: InvoiceRun) -> None:
    if not planning.is_unchanged(run):
        raise InputsChanged(f"the charges of run {run.pk} changed")


def progress(run: InvoiceRun) -> Mapping[str, object]:
    """What the topic of a run shows."""
    return {
        "status": run.status,
        "done": run.entries_done,
        "total": run.entries_total,
        "problems": run.entries.filter(~Q(problem="")).count(),
        "gross_fen": run.gross_fen,
        "inputs_hash": run.inputs_hash,
    }


def publish(run: InvoiceRun, now: datetime, last: RunEntry | None = None) -> None:
    """Tell who watches; the last statement of the transaction."""
    changes = {"progress": dict(progress(run))}
    if last is not None:
        changes["last"] = {
            "position": last.position,
            "tenant": last.tenant.code,
            "invoice": last.invoice.number if last.invoice else None,
            "problem": last.problem,
        }
    live.publish({run.topic: changes}, now=now)


def _record(run: InvoiceRun, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="invoice_run",
        object_code=str(run.pk),
        before=None,
        after={"status": run.status, "inputs_hash": run.inputs_hash, "gross_fen": run.gross_fen},
        now=now,
    )
