"""Issued documents, and money for them."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Tenant
from base_ops.core.money import split_vat
from billing import services
from billing.domain.allocating import Part
from billing.domain.texts import local_day
from billing.models import Charge, Invoice, InvoiceLine, Payment, UsageFact
from billing.seller import SELLER
from billing.services import numbers, paying, posting
from tests.billing.data import span
from tests.billing.world import finished, room

_number = itertools.count(1)
LATER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
TODAY = date(2026, 12, 1)


def issued(*tenants: Tenant, now: datetime = LATER) -> list[Invoice]:
    """One November invoice for each tenant, over one afternoon in one room, in the books."""
    space = room()
    for day, tenant in enumerate(tenants, start=2):
        finished(tenant=tenant, space=space, span=span(f"11-{day:02d} 10:00", 4), now=now)
    run = services.preview_run(
        period_from=date(2026, 11, 1), period_to=date(2026, 11, 30), actor=SYSTEM, now=now
    )
    services.approve_run(run_id=run.pk, actor=SYSTEM, now=now)
    services.ask_issue(run_id=run.pk, actor=SYSTEM, now=now)
    services.issue_due(now)
    posting.post_documents(now)
    by_tenant = {i.tenant_id: i for i in Invoice.objects.filter(tenant__in=tenants)}
    return [by_tenant[tenant.pk] for tenant in tenants]


def paid(tenant: Tenant | None, amount_fen: int, **more: Any) -> Payment:
    """Money of that day."""
    fields: dict[str, Any] = {"method": "transfer", "received_on": TODAY} | more
    wish = paying.PaymentWish(tenant=tenant, amount_fen=amount_fen, **fields)
    return paying.record(wish=wish, actor=SYSTEM, now=LATER)


def relieved(
    tenant: Tenant, policy: str = "P08", *, now: datetime = LATER, day: date = date(2026, 11, 5)
) -> Invoice:
    """An issued invoice of a hundred yuan, forty of which a policy took off, in the books."""
    name = f"booking/BKR{next(_number):05d}"
    fact = UsageFact.objects.create(
        source=name, kind="booking", tenant=tenant, payload={"booking_code": name[8:]},
        tariff_version="v", recorded_at=now,
    )  # fmt: skip
    invoice = Invoice.objects.create(
        kind="invoice", tenant=tenant, period_from=day, period_to=day, issued_at=now,
        issued_on=local_day(now), due_on=local_day(now) + timedelta(days=15),
        seller=SELLER, buyer={"code": tenant.code, "name_zh": tenant.name_zh, "name_en": "x",
                              "uscc": "", "town_zh": "", "invoice_type": ""},
    )  # fmt: skip
    for place, (kind, gross, by) in enumerate(
        (("room", 10_000, ""), ("discount", -4_000, policy)), start=1
    ):
        net, vat = split_vat(gross, Decimal("0.06"))
        sums: dict[str, Any] = {
            "gross_fen": gross, "net_fen": net, "vat_fen": vat, "vat_rate": Decimal("0.06"),
            "vat_category": "modern_service_6", "policy": by, "description_zh": "直播间",
            "description_en": "Room",
        }  # fmt: skip
        charge = Charge.objects.create(
            source=f"{name}/{place}", fact=fact, tenant=tenant, kind=kind, service_on=day,
            booking_code=name[8:], created_at=now, **sums,
        )  # fmt: skip
        InvoiceLine.objects.create(invoice=invoice, charge=charge, position=place, **sums)
        invoice.net_fen += net
        invoice.vat_fen += vat
        invoice.gross_fen += gross
    invoice.line_count, invoice.status = 2, "issued"
    invoice.number = numbers.draw(document="invoice", year=invoice.issued_on.year)
    invoice.save()
    posting.post_documents(now)
    return invoice


def settled(invoice: Invoice, now: datetime = LATER) -> Payment:
    """A payment of exactly this invoice."""
    wish = paying.PaymentWish(
        method="transfer", amount_fen=invoice.gross_fen, received_on=local_day(now),
        tenant=invoice.tenant,
    )  # fmt: skip
    made = paying.record(wish=wish, actor=SYSTEM, now=now)
    part = Part(str(invoice.number), invoice.gross_fen)
    paying.allocate(payment_id=made.pk, parts=[part], actor=SYSTEM, now=now)
    return made
