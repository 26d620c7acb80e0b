"""Red letters: start → confirm → issue. The row of the invoice's standing is locked first."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from base_ops.core import audit
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.errors import Invalid
from billing.domain import reds
from billing.domain.reds import Amount, RedDeed, RedState, Side
from billing.domain.texts import local_day
from billing.models import Charge, Invoice, InvoiceLine, InvoiceStanding, RedLetter, RedLine
from billing.models.charges import Document, UsageFact
from billing.models.invoices import InvoiceStatus
from billing.selectors import reds as found
from billing.services import numbers

logger = logging.getLogger(__name__)

CLOSING = (RedState.REFUSED, RedState.WITHDRAWN, RedState.EXPIRED)


class NotAnInvoice(Invalid):
    """A credit note cannot be taken back by a red letter."""

    code, title_zh, title_en = "not_an_invoice", "只能冲红蓝字账单", "Only invoices are taken back"


def standing(*, invoice: Invoice) -> InvoiceStanding:
    """The invoice's standing, its row locked; made at first sight.

    Raises:
        NotAnInvoice: it is a credit note.
    """
    if invoice.kind != Document.INVOICE:
        raise NotAnInvoice(str(invoice.number))
    rows = InvoiceStanding.objects.select_for_update(no_key=True).filter(invoice=invoice)
    if (row := rows.first()) is None:
        fresh = InvoiceStanding(invoice=invoice, gross_fen=max(0, invoice.gross_fen))
        InvoiceStanding.objects.bulk_create([fresh], ignore_conflicts=True)
        row = rows.get()
    return row


def note_use(*, invoice: Invoice, use: reds.BuyerUse, actor: Actor, now: datetime) -> Invoice:
    """Record what the buyer did with the invoice on the tax platform."""
    with transaction.atomic():
        row = standing(invoice=invoice)
        before = row.buyer_use
        if before != use:
            row.buyer_use = use
            row.buyer_use_on = None if use == reds.BuyerUse.NONE else local_day(now)
            row.save(update_fields=["buyer_use", "buyer_use_on"])
            audit.record(
                actor=actor, action="invoice.buyer_use", object_type="invoice",
                object_code=str(invoice.number), before={"buyer_use": before},
                after={"buyer_use": use}, now=now,
            )  # fmt: skip
    return invoice


def start(
    *,
    invoice: Invoice,
    side: Side,
    reason: reds.RedReason,
    wanted: Mapping[int, int] | None,
    note: str,
    actor: Actor,
    now: datetime,
) -> RedLetter:
    """Start a red letter; what it would give back is set aside until it ends.

    Args:
        invoice: what is taken back, all of it or in part.
        side: who starts.
        reason: by the tax office's list.
        wanted: gross fen by position of the line, or None for all that is left.
        note: what people say to it.
        actor: who acts.
        now: the present instant.

    Raises:
        NotAnInvoice, SellerStarts, RedNotAllowed, RedTooMuch.
    """
    with transaction.atomic():
        row = standing(invoice=invoice)
        state = reds.first_state(side=side, use=row.buyer_use)
        lines = found.left_by_line(invoice)
        parts = reds.parts(list(lines.values()), wanted, reason, row.buyer_use)
        total = sum(parts.values(), reds.NOTHING)
        if total.gross_fen > row.gross_fen - row.credited_fen:
            left = row.gross_fen - row.credited_fen
            raise reds.RedTooMuch(f"{total.gross_fen} of {left} fen", left_fen=left)
        InvoiceStanding.objects.filter(pk=row.pk).update(
            credited_fen=F("credited_fen") + total.gross_fen
        )
        letter = RedLetter.objects.create(
            invoice=invoice,
            reason=reason,
            note=note,
            state=state,
            started_by_side=side,
            buyer_use=row.buyer_use,
            net_fen=total.net_fen,
            vat_fen=total.vat_fen,
            gross_fen=total.gross_fen,
            created_by=actor.label,
            created_at=now,
            expires_at=now + reds.CONFIRM_WITHIN if state == RedState.REQUESTED else None,
        )
        _lines(letter, parts)
        _record(letter, "red.start", None, actor, now)
    return letter


def _lines(letter: RedLetter, parts: Mapping[int, Amount]) -> None:
    places = dict(letter.invoice.lines.values_list("position", "id"))
    RedLine.objects.bulk_create(
        RedLine(
            red_letter=letter,
            line_id=places[place],
            net_fen=part.net_fen,
            vat_fen=part.vat_fen,
            gross_fen=part.gross_fen,
        )
        for place, part in sorted(parts.items())
    )


def decide(
    *, letter: RedLetter, deed: RedDeed, side: Side, note: str = "", actor: Actor, now: datetime
) -> RedLetter:
    """Confirm, refuse or withdraw.

    Raises:
        OtherSideDecides: who started may only withdraw, and only who started may.
        WrongRedState: the form is elsewhere, or its 72 hours are over.
    """
    with transaction.atomic():
        standing(invoice=letter.invoice)
        letter = _fresh(letter)
        if (letter.started_by_side == side) != (deed is RedDeed.WITHDRAW):
            raise reds.OtherSideDecides(f"started by the {letter.started_by_side}")
        if _is_late(letter, now) and deed is not RedDeed.WITHDRAW:
            raise reds.WrongRedState("not confirmed within 72 hours", state="expired", possible=[])
        _move(letter, deed, note, actor, now)
    return letter


def _fresh(letter: RedLetter) -> RedLetter:
    return RedLetter.objects.select_for_update(no_key=True, of=("self",)).get(pk=letter.pk)


def _is_late(letter: RedLetter, now: datetime) -> bool:
    ends = letter.expires_at
    return letter.state == RedState.REQUESTED and ends is not None and ends <= now


def _move(letter: RedLetter, deed: RedDeed, note: str, actor: Actor, now: datetime) -> None:
    """To the next state; what is closed unissued gives back what was set aside."""
    before = letter.state
    letter.state = reds.after(letter.state, deed)
    letter.decided_by, letter.decided_at, letter.decision_note = actor.label, now, note
    letter.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
    if letter.state in CLOSING:
        InvoiceStanding.objects.filter(invoice=letter.invoice).update(
            credited_fen=F("credited_fen") - letter.gross_fen
        )
    _record(letter, f"red.{deed}", before, actor, now)


def expire_due(now: datetime) -> int:
    """End the forms that nobody confirmed in time; returns how many."""
    ended = 0
    late = RedLetter.objects.filter(state=RedState.REQUESTED, expires_at__lte=now)
    for letter in late.select_related("invoice").order_by("id")[:500]:
        with transaction.atomic():
            standing(invoice=letter.invoice)
            letter = _fresh(letter)  # as it is under the lock
            if _is_late(letter, now):
                _move(letter, RedDeed.EXPIRE, "", SYSTEM, now)
                ended += 1
    return ended


def issue(*, letter: RedLetter, actor: Actor, now: datetime) -> RedLetter:
    """Make the credit note of a confirmed form; again, the same one.

    Raises:
        WrongRedState: it is not confirmed.
    """
    with transaction.atomic():
        standing(invoice=letter.invoice)
        letter = _fresh(letter)
        if letter.state == RedState.ISSUED:
            return letter
        before, letter.state = letter.state, reds.after(letter.state, RedDeed.ISSUE)
        letter.credit_note = _document(letter, now)
        letter.save(update_fields=["state", "credit_note"])
        _record(letter, "red.issue", before, actor, now)
    logger.info("red.issued", extra={"red": letter.pk, "gross_fen": letter.gross_fen})
    return letter


def _document(letter: RedLetter, now: datetime) -> Invoice:
    """The credit note: negative lines, each of a charge of its own; its number is drawn last."""
    blue, today = letter.invoice, local_day(now)
    note = Invoice.objects.create(
        kind=Document.CREDIT_NOTE,
        tenant=blue.tenant,
        period_from=blue.period_from,
        period_to=blue.period_to,
        issued_at=now,
        issued_on=today,
        due_on=today + timedelta(0),
        seller=blue.seller,
        buyer=blue.buyer,
    )
    lines = list(letter.lines.select_related("line__charge").order_by("line__position"))
    charges = Charge.objects.bulk_create(_charge(letter, entry, now) for entry in lines)
    InvoiceLine.objects.bulk_create(
        _line(note, place, entry, charge)
        for place, (entry, charge) in enumerate(zip(lines, charges, strict=True), start=1)
    )
    note.line_count = len(lines)
    note.net_fen, note.vat_fen = -letter.net_fen, -letter.vat_fen
    note.gross_fen = -letter.gross_fen
    note.status = InvoiceStatus.ISSUED
    note.number = numbers.draw(document=Document.CREDIT_NOTE, year=today.year)
    note.save()
    return note


def _charge(letter: RedLetter, entry: RedLine, now: datetime) -> Charge:
    """The charge that takes a line's charge back: one per red letter and line, by its source."""
    fact, _ = UsageFact.objects.get_or_create(
        source=f"red/{letter.pk}",
        defaults={
            "kind": "red",
            "tenant_id": letter.invoice.tenant_id,
            "payload": {"red_letter": letter.pk, "invoice": letter.invoice.number},
            "tariff_version": entry.line.charge.fact.tariff_version,
            "recorded_at": now,
        },
    )
    of = entry.line.charge
    return Charge(
        source=f"red/{letter.pk}/{entry.line.position}",
        fact=fact,
        tenant_id=of.tenant_id,
        document=Document.CREDIT_NOTE,
        kind="red",
        booking_code=of.booking_code,
        space_code=of.space_code,
        service_on=of.service_on,
        starts_at=of.starts_at,
        ends_at=of.ends_at,
        policy=of.policy,
        vat_rate=of.vat_rate,
        vat_category=of.vat_category,
        description_zh=of.description_zh,
        description_en=of.description_en,
        net_fen=-entry.net_fen,
        vat_fen=-entry.vat_fen,
        gross_fen=-entry.gross_fen,
        created_at=now,
    )


def _line(note: Invoice, position: int, entry: RedLine, charge: Charge) -> InvoiceLine:
    """A whole line keeps its quantity, with a minus; a part of one is an amount only."""
    of = entry.line
    whole = entry.gross_fen == of.gross_fen and of.quantity
    return InvoiceLine(
        invoice=note,
        charge=charge,
        position=position,
        description_zh=of.description_zh,
        description_en=of.description_en,
        band=of.band,
        surge=of.surge,
        quantity=f"-{of.quantity}" if whole and len(of.quantity) < 24 else "",
        unit=of.unit if whole else "",
        unit_fen=of.unit_fen if whole else None,
        price_text=of.price_text if whole else "",
        policy=of.policy,
        vat_category=of.vat_category,
        vat_rate=of.vat_rate,
        net_fen=charge.net_fen,
        vat_fen=charge.vat_fen,
        gross_fen=charge.gross_fen,
    )


def _record(
    letter: RedLetter, action: str, before: str | None, actor: Actor, now: datetime
) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="red_letter",
        object_code=str(letter.pk),
        before=None if before is None else {"state": before},
        after={
            "state": letter.state,
            "invoice": letter.invoice.number,
            "gross_fen": letter.gross_fen,
            "reason": letter.reason,
            "note": letter.decision_note,
        },
        now=now,
    )
