"""Claims: made of what was paid, submitted, decided, paid; each step in the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, Invalid
from billing import proofs
from billing.domain import claims
from billing.domain.texts import local_day
from billing.models import Claim, ClaimLine
from billing.selectors import subsidies as relief
from billing.selectors.subsidies import NoSuchClaim
from billing.services import posting


class NothingToClaim(Conflict):
    """The programme lowered nothing in the period that is paid and not claimed."""

    code, title_zh, title_en = "nothing_to_claim", "没有可申领的减免", "There is nothing to claim"


class ClaimState(Conflict):
    """The claim is not where this deed begins."""

    code, title_zh, title_en = (
        "claim_state",
        "申领当前状态不允许此操作",
        "Not possible in this state",
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What the district accepts of one line, and why not all of it."""

    line_id: int
    accepted_fen: int
    reason: str = ""


def draft(*, programme: str, first: date, last: date, actor: Actor, now: datetime) -> Claim:
    """Claim every fact of the period that the programme lowered, was paid and is in no claim.

    Raises:
        Invalid: no programme of the district, or an empty period.
        NothingToClaim: there is none, or a rival was faster.
    """
    if programme not in relief.programmes() or last < first:
        fault = FieldFault("programme", "非区级资助项目或期间无效", "not a district programme")
        raise Invalid("not a claim that can be made", fields=[fault])
    found = relief.candidates(programme=programme, first=first, last=last)
    found = [one for one in found if not one.problem]
    if not found:
        raise NothingToClaim(programme)
    proven = proofs.proofs([one.booking_code for one in found if one.booking_code], now=now)
    try:
        with transaction.atomic():
            row = Claim.objects.create(
                programme=programme, period_from=first, period_to=last, line_count=len(found),
                requested_fen=sum(one.amount_fen for one in found), created_by=actor.label,
                created_at=now,
            )  # fmt: skip
            ClaimLine.objects.bulk_create(_line(row, one, proven) for one in found)
    except IntegrityError as exc:
        if "claimline_fact_once" not in str(exc):
            raise
        raise NothingToClaim("a rival was faster") from exc
    _said(row, "claim.draft", actor, now)
    return row


def _line(row: Claim, one: relief.Candidate, proven: Mapping[str, proofs.Proof]) -> ClaimLine:
    proof = proven.get(one.booking_code)
    return ClaimLine(
        claim=row, fact_id=one.fact_id, tenant_id=one.tenant_id, invoice_id=one.invoice_id,
        booking_code=one.booking_code, service_on=one.service_on, amount_fen=one.amount_fen,
        live_s=proof.live_s if proof else None,
    )  # fmt: skip


def submit(*, claim_id: int, actor: Actor, now: datetime) -> Claim:
    """Hand it in: from here on the district owes it.

    Raises:
        NoSuchClaim, ClaimState.
    """
    with transaction.atomic():
        row = _locked(claim_id, "submit")
        row.status, row.submitted_at = "submitted", now
        row.save()
        _post(row, "submitted", row.requested_fen, local_day(now), now)
        _said(row, "claim.submit", actor, now)
    return row


def discard(*, claim_id: int, actor: Actor, now: datetime) -> Claim:
    """Give a draft up; its facts may be claimed again.

    Raises:
        NoSuchClaim, ClaimState.
    """
    with transaction.atomic():
        row = _locked(claim_id, "discard")
        row.status = "discarded"
        row.save()
        row.lines.update(live=False)
        _said(row, "claim.discard", actor, now)
    return row


def decide(
    *, claim_id: int, decisions: list[Decision], note: str, actor: Actor, now: datetime
) -> Claim:
    """Write down what the district accepts; lines that are not named are accepted as asked.

    What is not accepted leaves the receivable; of a line that is refused the fact is free again.

    Raises:
        NoSuchClaim, ClaimState.
        Invalid: a line of another claim, or more than was asked.
    """
    with transaction.atomic():
        row = _locked(claim_id, "decide")
        lines = {line.pk: line for line in row.lines.all()}
        _check(decisions, lines)
        said = {d.line_id: d for d in decisions}
        for line in lines.values():
            decision = said.get(line.pk, Decision(line.pk, line.amount_fen))
            line.accepted_fen, line.reason = decision.accepted_fen, decision.reason
            line.live = decision.accepted_fen > 0
        fields = ["accepted_fen", "reason", "live"]
        ClaimLine.objects.bulk_update(lines.values(), fields, batch_size=500)
        row.accepted_fen = sum(line.accepted_fen or 0 for line in lines.values())
        row.status = claims.outcome(row.requested_fen, row.accepted_fen)
        row.decided_at, row.note = now, note
        row.save()
        cut_fen = row.accepted_fen - row.requested_fen
        _post(row, "decided", cut_fen, local_day(now), now)
        _said(row, "claim.decide", actor, now, accepted_fen=row.accepted_fen, note=note)
    return row


def _check(decisions: list[Decision], lines: Mapping[int, ClaimLine]) -> None:
    faults = []
    for decision in decisions:
        line = lines.get(decision.line_id)
        if line is None or not 0 <= decision.accepted_fen <= line.amount_fen:
            most = line.amount_fen if line else 0
            zh, en = f"最多 {most} 分", f"at most {most} fen"
            faults.append(FieldFault(f"lines.{decision.line_id}", zh, en))
    if faults:
        raise Invalid("not what was asked", fields=faults)


def pay(
    *, claim_id: int, on: date, bank_reference: str | None, actor: Actor, now: datetime
) -> Claim:
    """The district paid what it accepted.

    Raises:
        NoSuchClaim, ClaimState.
        posting.PeriodClosed: the month of that day is closed.
    """
    with transaction.atomic():
        row = _locked(claim_id, "pay")
        if on > local_day(now):
            fault = FieldFault("on", "不可晚于今天", "must not be after today")
            raise Invalid("a day in the future", fields=[fault])
        row.status, row.paid_on, row.bank_reference = "paid", on, bank_reference or ""
        row.save()
        posting.post(
            source=f"claim/{row.pk}/paid",
            kind="claim_paid",
            on=on,
            sides={"bank": row.accepted_fen, "district": -row.accepted_fen},
            memo=row.programme,
            now=now,
        )
        _said(row, "claim.pay", actor, now, on=str(on))
    return row


def _locked(claim_id: int, deed: str) -> Claim:
    row = Claim.objects.select_for_update(no_key=True).filter(pk=claim_id).first()
    if row is None:
        raise NoSuchClaim(f"claim {claim_id}")
    if row.status not in claims.DEEDS[deed]:
        raise ClaimState(f"claim {claim_id} is {row.status}", state=row.status)
    return row


def _post(row: Claim, what: str, amount_fen: int, on: date, now: datetime) -> None:
    """More or less that the district owes."""
    posting.post(
        source=f"claim/{row.pk}/{what}",
        kind=f"claim_{what}",
        on=on,
        sides={"district": amount_fen, "subsidies": -amount_fen},
        memo=row.programme,
        now=now,
    )


def _said(row: Claim, action: str, actor: Actor, now: datetime, **after: Any) -> None:
    audit.record(
        actor=actor, action=action, object_type="claim", object_code=str(row.pk),
        after={"status": row.status, "requested_fen": row.requested_fen} | after, now=now,
    )  # fmt: skip
