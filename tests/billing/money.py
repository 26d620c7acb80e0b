"""Issued documents, and money for them."""

from datetime import UTC, date, datetime
from typing import Any

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Tenant
from billing import services
from billing.models import Invoice, Payment
from billing.services import paying, posting
from tests.billing.data import span
from tests.billing.world import finished, room

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
