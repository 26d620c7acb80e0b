"""A credit note of a red letter pays what its invoice still asks for."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from base_ops.core.actors import SYSTEM
from billing.domain.allocating import Part
from billing.models import OpenItem, Payment
from billing.services import paying


def apply_credit_notes(now: datetime) -> int:
    """Allocate credit notes to the invoices they belong to; returns how many.

    What an invoice that is paid does not need stays, to be used, prepaid or given back.
    """
    used = F("allocated_fen") + F("moved_fen") + F("refunded_fen")
    rows = Payment.objects.filter(method="credit_note", amount_fen__gt=used)
    of_invoice = "credit_note__red_letter__invoice"
    wanted = {
        f"{of_invoice}__open_item__gross_fen__gt": F(f"{of_invoice}__open_item__settled_fen")
    }
    found = rows.filter(**wanted).order_by("pk").values_list("pk", f"{of_invoice}_id")
    return sum(_apply(pk, invoice_id, now) for pk, invoice_id in found)


def _apply(pk: int, invoice_id: int, now: datetime) -> int:
    with transaction.atomic():
        row = paying.locked(pk)
        rows = OpenItem.objects.select_for_update(of=("self",), no_key=True)
        item = rows.select_related("invoice").get(pk=invoice_id)
        amount_fen = min(row.left_fen, item.open_fen)
        if not amount_fen:
            return 0
        part = Part(str(item.invoice.number), amount_fen)
        paying.allocate(payment_id=pk, parts=[part], actor=SYSTEM, now=now)
    return 1
