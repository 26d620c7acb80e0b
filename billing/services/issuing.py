"""One document: frozen charges → invoice with lines → number, last."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from base_ops.core.models import Tenant
from billing.domain.inputs import Input, inputs_hash
from billing.domain.texts import local_day
from billing.models import Charge, Invoice, InvoiceLine, InvoiceRun, RunEntry
from billing.models.invoices import InvoiceStatus
from billing.models.usage import ReservationState
from billing.selectors.seller import as_copied
from billing.seller import TERMS_DAYS
from billing.services import budgets, numbers

logger = logging.getLogger(__name__)


def issue_entry(entry: RunEntry, *, run: InvoiceRun, now: datetime) -> None:
    """Make the document of an entry in the caller's transaction, or say why not in `problem`."""
    charges = _charges(entry)
    if charges is None:
        entry.problem = "inputs_changed"
        entry.save(update_fields=["problem"])
        logger.warning("run.quarantined", extra={"run": run.pk, "entry": entry.position})
        return
    invoice = _draft(entry, run, now)
    InvoiceLine.objects.bulk_create(
        _line(invoice, place, charge) for place, charge in enumerate(charges, start=1)
    )
    sources = sorted({c.fact.source for c in charges})
    budgets.settle(sources=sources, state=ReservationState.COMMITTED, now=now)
    invoice.line_count = len(charges)
    invoice.net_fen = sum(c.net_fen for c in charges)
    invoice.vat_fen = sum(c.vat_fen for c in charges)
    invoice.gross_fen = sum(c.gross_fen for c in charges)
    invoice.status = InvoiceStatus.ISSUED
    invoice.number = numbers.draw(document=entry.document, year=invoice.issued_on.year)
    invoice.save()
    entry.invoice = invoice
    entry.save(update_fields=["invoice"])


def _charges(entry: RunEntry) -> Sequence[Charge] | None:
    """The frozen charges in line order; None when they are not what was previewed."""
    rows = Charge.objects.filter(pk__in=entry.charge_ids, invoice_line=None)
    found = {c.pk: c for c in rows.select_related("fact")}
    charges = [found[pk] for pk in entry.charge_ids if pk in found]
    inputs = [Input(c.pk, c.net_fen, c.vat_fen, c.gross_fen) for c in charges]
    return charges if inputs_hash(inputs) == entry.inputs_hash else None


def _draft(entry: RunEntry, run: InvoiceRun, now: datetime) -> Invoice:
    today = local_day(now)
    return Invoice.objects.create(
        kind=entry.document,
        tenant=entry.tenant,
        period_from=run.period_from,
        period_to=run.period_to,
        issued_at=now,
        issued_on=today,
        due_on=today + timedelta(days=TERMS_DAYS),
        seller=as_copied(),
        buyer=_buyer(entry.tenant),
    )


def _buyer(tenant: Tenant) -> dict[str, str]:
    return {
        "code": tenant.code,
        "name_zh": tenant.name_zh,
        "name_en": tenant.name_en,
        "uscc": tenant.uscc or "",
        "town_zh": tenant.town_street,
        "invoice_type": tenant.invoice_type,
    }


def _line(invoice: Invoice, position: int, charge: Charge) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        charge=charge,
        position=position,
        description_zh=charge.description_zh,
        description_en=charge.description_en,
        band=charge.band,
        surge=charge.surge,
        quantity=charge.quantity,
        unit=charge.unit,
        unit_fen=charge.unit_fen,
        price_text=charge.price_text,
        policy=charge.policy,
        vat_category=charge.vat_category,
        vat_rate=charge.vat_rate,
        net_fen=charge.net_fen,
        vat_fen=charge.vat_fen,
        gross_fen=charge.gross_fen,
    )
