"""Charges, invoices and runs, as far as somebody may see them."""

from calendar import monthrange
from datetime import date

from django.db.models import QuerySet

from base_ops.core.errors import NotFound
from base_ops.core.models import User
from billing.models import Charge, Invoice, InvoiceRun

MAX_LINES = 2000
"""A run with more lines shows only the sums of its documents."""


class NoSuchInvoice(NotFound):
    """There is no such invoice, or it is another tenant's."""

    code, title_zh, title_en = "no_such_invoice", "没有该账单", "No such invoice"


class NoSuchRun(NotFound):
    """There is no such run."""

    code, title_zh, title_en = "no_such_run", "没有该开票批次", "No such invoice run"


def month_days(month: str) -> tuple[date, date]:
    """First and last day of "2026-10"."""
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def invoices(
    *, user: User, tenant: str | None = None, month: str | None = None, status: str | None = None
) -> QuerySet[Invoice]:
    """Issued documents the user may see; `month` is that of the billed period's end."""
    rows = Invoice.objects.exclude(number=None).select_related("tenant")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if month:
        rows = rows.filter(period_to__range=month_days(month))
    return rows.filter(status=status) if status else rows


def invoice(*, user: User, number: str) -> Invoice:
    """One document.

    Raises:
        NoSuchInvoice: unknown, or another tenant's.
    """
    found = invoices(user=user).filter(number=number).first()
    if found is None:
        raise NoSuchInvoice(number)
    return found


def charges(
    *, user: User, tenant: str | None = None, month: str | None = None, booking: str | None = None
) -> QuerySet[Charge]:
    """Charges the user may see."""
    rows = Charge.objects.select_related("tenant", "invoice_line__invoice")
    if user.tenant_id is not None:
        rows = rows.filter(tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if month:
        rows = rows.filter(service_on__range=month_days(month))
    return rows.filter(booking_code=booking) if booking else rows


def run(run_id: int) -> InvoiceRun:
    """One run.

    Raises:
        NoSuchRun: there is none.
    """
    found = InvoiceRun.objects.filter(pk=run_id).first()
    if found is None:
        raise NoSuchRun(f"run {run_id}")
    return found
