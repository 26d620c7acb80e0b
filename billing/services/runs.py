"""Invoice runs: preview → approve → issue. Killed anywhere and resumed, the result is the same."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db import connection, transaction
from django.db.models import Max, Q

from base_ops.core import audit, live
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, Invalid
from billing.domain.inputs import Input, inputs_hash, run_hash
from billing.domain.texts import local_day
from billing.models import Charge, InvoiceRun, RunEntry
from billing.models.invoices import RunStatus
from billing.selectors import documents
from billing.services import issuing

logger = logging.getLogger(__name__)

_LOCK = 7_302_611  # one at a time decides which run goes on
_LONGEST = timedelta(days=400)
_YEARS = range(2000, 2101)


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


class RunOverlaps(Conflict):
    """Another run that is under way has the same days or the same charges."""

    code, title_zh, title_en = "run_overlaps", "另一账单批次尚未完成", "Another run is under way"


@dataclass(frozen=True, slots=True)
class Planned:
    """One document to be."""

    tenant_id: int
    tenant_code: str
    document: str
    inputs: tuple[Input, ...]

    @property
    def hash(self) -> str:
        """Fingerprint of its charges."""
        return inputs_hash(self.inputs)

    @property
    def net_fen(self) -> int:
        """Sum without VAT."""
        return sum(i.net_fen for i in self.inputs)

    @property
    def vat_fen(self) -> int:
        """Sum of VAT."""
        return sum(i.vat_fen for i in self.inputs)


def preview_run(*, period_from: date, period_to: date, actor: Actor, now: datetime) -> InvoiceRun:
    """Freeze all open charges with use up to `period_to`; late facts of earlier periods too.

    Older previews of the same period are superseded.

    Raises:
        EmptyPeriod: the period ends before it begins.
        PeriodOutOfRange: it begins after today, or is absurd.
    """
    _check_period(period_from, period_to, today=local_day(now))
    with transaction.atomic():
        cutoff = Charge.objects.aggregate(n=Max("id"))["n"] or 0
        plan = list(_plan(period_to, cutoff))
        InvoiceRun.objects.filter(
            status=RunStatus.PREVIEW, period_from=period_from, period_to=period_to
        ).update(status=RunStatus.SUPERSEDED)
        run = InvoiceRun.objects.create(
            period_from=period_from,
            period_to=period_to,
            inputs_hash=_hash(plan),
            last_charge_id=cutoff,
            entries_total=len(plan),
            net_fen=sum(p.net_fen for p in plan),
            vat_fen=sum(p.vat_fen for p in plan),
            gross_fen=sum(p.net_fen + p.vat_fen for p in plan),
            created_by=actor.label,
            created_at=now,
        )
        RunEntry.objects.bulk_create(_entry(run, i, p) for i, p in enumerate(plan, start=1))
        _record(run, "run.preview", actor, now)
        _publish(run, now)
    return run


def _check_period(first: date, last: date, *, today: date) -> None:
    """Let through what has begun; the month under way may be run before its end."""
    if last < first:
        raise EmptyPeriod(f"{first} .. {last}")
    sane = first.year in _YEARS and last.year in _YEARS and last - first <= _LONGEST
    if not sane or first > today:
        raise PeriodOutOfRange(f"{first} .. {last}")


def _plan(period_to: date, cutoff: int) -> Iterator[Planned]:
    """Open charges by tenant and kind of document, in line order."""
    rows = (
        Charge.objects.filter(invoice_line=None, service_on__lte=period_to, id__lte=cutoff)
        .order_by("tenant__code", "document", "service_on", "id")
        .values_list(
            "tenant_id", "tenant__code", "document", "id", "net_fen", "vat_fen", "gross_fen"
        )
    )
    for key, group in groupby(rows.iterator(chunk_size=5000), key=lambda row: row[:3]):
        inputs = tuple(Input(*row[3:]) for row in group)
        yield Planned(key[0], key[1], key[2], inputs)


def _hash(plan: list[Planned]) -> str:
    return run_hash((p.tenant_code, p.document, p.hash) for p in plan)


def _entry(run: InvoiceRun, position: int, planned: Planned) -> RunEntry:
    return RunEntry(
        run=run,
        position=position,
        tenant_id=planned.tenant_id,
        document=planned.document,
        charge_ids=[i.charge_id for i in planned.inputs],
        inputs_hash=planned.hash,
        net_fen=planned.net_fen,
        vat_fen=planned.vat_fen,
        gross_fen=planned.net_fen + planned.vat_fen,
    )


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
    """
    with transaction.atomic():
        _take_turn()
        run = _locked(run_id)
        if run.status != RunStatus.PREVIEW:
            raise WrongState(f"run {run_id} is {run.status}", state=run.status)
        if inputs_hash is not None and inputs_hash != run.inputs_hash:
            raise InputsChanged("another preview was approved than the one that was seen")
        _refuse_rivals(run, RunStatus.APPROVED, RunStatus.ISSUING)
        _check_inputs(run)
        run.status, run.approved_by, run.approved_at = RunStatus.APPROVED, actor.label, now
        run.save(update_fields=["status", "approved_by", "approved_at"])
        _record(run, "run.approve", actor, now)
        _publish(run, now)
    return run


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
        _take_turn()
        run = _locked(run_id)
        if run.status in (RunStatus.ISSUING, RunStatus.ISSUED):
            return run
        if run.status != RunStatus.APPROVED:
            raise WrongState(f"run {run_id} is {run.status}", state=run.status)
        _refuse_rivals(run, RunStatus.ISSUING)
        _check_inputs(run)
        run.status, run.issue_asked_at = RunStatus.ISSUING, now
        run.save(update_fields=["status", "issue_asked_at"])
        _record(run, "run.issue", actor, now)
        _publish(run, now)
    return run


def issue_due(now: datetime) -> int:
    """Carry on with every run that is being issued; returns how many documents were made."""
    made = 0
    for run_id in InvoiceRun.objects.filter(status=RunStatus.ISSUING).values_list("id", flat=True):
        while issue_next(run_id=run_id, now=now):
            made += 1
    return made


def issue_next(*, run_id: int, now: datetime) -> bool:
    """Make the next document of a run, in a transaction of its own; False when none is left.

    The run's row is locked, so two at once take turns and the order of numbers is always the same.
    """
    with transaction.atomic():
        run = _locked(run_id)
        if run.status != RunStatus.ISSUING:
            return False
        entry = run.entries.filter(invoice=None, problem="").order_by("position").first()
        if entry is None:
            _finish(run, now)
            return False
        issuing.issue_entry(entry, run=run, now=now)
        if not entry.problem:
            run.entries_done += 1
            run.save(update_fields=["entries_done"])
        _publish(run, now, last=entry)
    return True


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
    _publish(run, now)


def _take_turn() -> None:
    """One approval or start of issue at a time, until its transaction ends; before any row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _refuse_rivals(run: InvoiceRun, *statuses: RunStatus) -> None:
    """Refuse beside another run at these steps with days or charges of this one.

    A run takes late charges of earlier periods too, so runs of different months can share some.
    An approved run whose charges changed can never be issued, and stands in nobody's way.

    Raises:
        RunOverlaps: with the other run's id.
    """
    mine = _charge_ids(run)
    for other in InvoiceRun.objects.filter(status__in=statuses).exclude(pk=run.pk):
        days = other.period_from <= run.period_to and run.period_from <= other.period_to
        if not days and mine.isdisjoint(_charge_ids(other)):
            continue
        if other.status == RunStatus.ISSUING or _unchanged(other):
            raise RunOverlaps(f"run {other.pk} is {other.status}", run=other.pk)


def _charge_ids(run: InvoiceRun) -> set[int]:
    return {pk for ids in run.entries.values_list("charge_ids", flat=True) for pk in ids}


def _locked(run_id: int) -> InvoiceRun:
    """The run, with its row locked.

    Raises:
        documents.NoSuchRun: there is none.
    """
    run = InvoiceRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        raise documents.NoSuchRun(f"run {run_id}")
    return run


def _unchanged(run: InvoiceRun) -> bool:
    return _hash(list(_plan(run.period_to, run.last_charge_id))) == run.inputs_hash


def _check_inputs(run: InvoiceRun) -> None:
    if not _unchanged(run):
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


def _publish(run: InvoiceRun, now: datetime, last: RunEntry | None = None) -> None:
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
