"""A month of charges, and its run at any step."""

from datetime import date, datetime

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Tenant
from billing import services
from billing.models import Invoice, InvoiceRun
from tests import make
from tests.billing.data import span
from tests.billing.world import finished, room

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


def november(now: datetime) -> InvoiceRun:
    return services.preview_run(
        period_from=NOVEMBER[0], period_to=NOVEMBER[1], actor=SYSTEM, now=now
    )


def approved(now: datetime) -> InvoiceRun:
    run = november(now)
    services.approve_run(run_id=run.pk, inputs_hash=run.inputs_hash, actor=SYSTEM, now=now)
    return services.ask_issue(run_id=run.pk, actor=SYSTEM, now=now)


def some_charges(now: datetime, tenants: int = 3) -> list[Tenant]:
    space = room()
    found = [make.tenant(compliance_rating="A") for _ in range(tenants)]
    for i, tenant in enumerate(found):
        finished(tenant=tenant, space=space, span=span("11-16 10:00", 4), now=now)
        finished(tenant=tenant, space=space, span=span(f"11-1{i % 9} 18:00", 3), now=now)
    return found


def content() -> list[tuple[object, ...]]:
    """All documents, as they would be compared by an auditor."""
    return [
        (i.number, i.tenant.code, i.net_fen, i.vat_fen, i.gross_fen, *lines(i))
        for i in Invoice.objects.order_by("number")
    ]


def lines(invoice: Invoice) -> list[tuple[object, ...]]:
    return list(invoice.lines.values_list("position", "description_zh", "net_fen", "vat_fen"))
