"""A charge that was wrong is never changed: it is reversed, and another one takes its place.

What comes late is billed with the next run: the pair carries the day of the original, and a run
takes everything that is open up to the end of its period.
"""

from datetime import datetime

from django.db import transaction

from base_ops.core import audit, money
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault, Invalid, NotFound
from billing.domain.reds import OPEN
from billing.models import Charge, ChargeCorrection, UsageFact
from billing.selectors import reds


class NoSuchCharge(NotFound):
    """There is no such charge."""

    code, title_zh, title_en = "no_such_charge", "没有该费用", "No such charge"


class AlreadyCorrected(Conflict):
    """The charge was corrected before; what stands in its place can be corrected."""

    code, title_zh, title_en = "already_corrected", "该费用已更正", "Corrected already"


class ChargeOnInvoice(Conflict):
    """The charge is on an invoice: a red letter has to take it back first."""

    code, title_zh, title_en = (
        "charge_on_invoice",
        "该费用已开账单，须先冲红",
        "It is invoiced: a red letter comes first",
    )


class NotCorrectable(Invalid):
    """A reversal or a credit, the same amount, or one of the other sign."""

    code, title_zh, title_en = "not_correctable", "不能如此更正", "Not a correction"


def correct(
    *, charge_id: int, gross_fen: int | None, reason: str, actor: Actor, now: datetime
) -> ChargeCorrection:
    """Reverse a charge, and put the right amount in its place unless that is None.

    Raises:
        NoSuchCharge, AlreadyCorrected, ChargeOnInvoice, NotCorrectable.
    """
    with transaction.atomic():
        rows = Charge.objects.select_related("fact", "invoice_line__invoice")
        charge = rows.select_for_update(no_key=True, of=("self",)).filter(pk=charge_id).first()
        if charge is None:
            raise NoSuchCharge(f"charge {charge_id}")
        _check(charge, gross_fen)
        taken_back = _is_taken_back(charge)
        key = f"{charge.pk}"
        reversal = None
        if not taken_back:
            amounts = (-charge.net_fen, -charge.vat_fen)
            reversal = _beside(charge, "reversal", key, amounts, reason, now)
        replacement = None
        if gross_fen is not None:
            amounts = money.split_vat(gross_fen, charge.vat_rate)
            replacement = _beside(charge, "correction", key, amounts, reason, now)
        row = ChargeCorrection.objects.create(
            charge=charge, reversal=reversal, replacement=replacement, reason=reason,
            created_by=actor.label, created_at=now,
        )  # fmt: skip
        audit.record(
            actor=actor, action="charge.correct", object_type="charge", object_code=charge.source,
            before={"gross_fen": charge.gross_fen},
            after={"gross_fen": gross_fen, "reason": reason}, now=now,
        )  # fmt: skip
    return row


def _check(charge: Charge, gross_fen: int | None) -> None:
    if ChargeCorrection.objects.filter(charge=charge).exists():
        raise AlreadyCorrected(charge.source)
    unfit = charge.kind in ("reversal", "red", "credit")
    if gross_fen is not None:
        unfit |= gross_fen == charge.gross_fen or gross_fen * charge.gross_fen < 0
    if unfit:
        fault = FieldFault("gross_fen", "不是有效的更正金额", "not an amount that corrects it")
        raise NotCorrectable(charge.source, fields=[fault])


def _is_taken_back(charge: Charge) -> bool:
    """Whether issued red letters gave all of it back.

    Raises:
        ChargeOnInvoice: it is billed, and something of it is left.
    """
    line = getattr(charge, "invoice_line", None)
    if line is None:
        return False
    left = reds.left_by_line(line.invoice)[line.position].left
    open_yet = line.reds.filter(red_letter__state__in=OPEN).exists()
    if left.gross_fen or open_yet:
        raise ChargeOnInvoice(charge.source, invoice=line.invoice.number)
    return True


def _beside(
    charge: Charge, kind: str, key: str, amounts: tuple[int, int], reason: str, now: datetime
) -> Charge:
    """A charge like the one that was wrong, of a fact of its own; its source makes it once."""
    words = {"reversal": ("冲销", "Reversal of"), "correction": ("更正", "Corrected")}[kind]
    fact = UsageFact.objects.create(
        source=f"{kind}/{key}",
        kind=kind,
        tenant_id=charge.tenant_id,
        payload={"charge": charge.source, "reason": reason},
        tariff_version=charge.fact.tariff_version,
        recorded_at=now,
    )
    net_fen, vat_fen = amounts
    return Charge.objects.create(
        source=f"{kind}/{key}/1",
        fact=fact,
        tenant_id=charge.tenant_id,
        document=charge.document,
        kind=kind,
        booking_code=charge.booking_code,
        space_code=charge.space_code,
        service_on=charge.service_on,
        starts_at=charge.starts_at,
        ends_at=charge.ends_at,
        description_zh=f"{words[0]} {charge.description_zh}"[:240],
        description_en=f"{words[1]} {charge.description_en}"[:240],
        band=charge.band,
        surge=charge.surge,
        policy=charge.policy,
        vat_rate=charge.vat_rate,
        vat_category=charge.vat_category,
        net_fen=net_fen,
        vat_fen=vat_fen,
        gross_fen=net_fen + vat_fen,
        created_at=now,
    )
