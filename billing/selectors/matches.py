"""Whose payment it may be: the open documents that suggestions are made from."""

from collections import defaultdict

from django.db.models import F

from base_ops.core.models import Tenant
from billing.domain.matching import Debtor, Money, Suggestion, due_first, suggest
from billing.models import OpenItem, Payment


def debtors(*, tenant_id: int | None = None) -> list[Debtor]:
    """Tenants with open documents, or one tenant."""
    rows = OpenItem.objects.filter(gross_fen__gt=F("settled_fen"))
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    items: dict[int, list[tuple[str, object, int]]] = defaultdict(list)
    for item in rows.select_related("invoice"):
        items[item.tenant_id].append((str(item.invoice.number), item.due_on, item.open_fen))
    return [
        Debtor(
            code=tenant.code,
            names=(tenant.name_zh, tenant.short_zh, tenant.name_en),
            uscc=tenant.uscc or "",
            items=due_first(items[tenant.pk]),  # type: ignore[arg-type] # as read above
        )
        for tenant in Tenant.objects.filter(pk__in=items).order_by("code")
    ]


def suggestions(payment: Payment) -> list[Suggestion]:
    """The best readings of what a payment has left."""
    money = Money(payment.left_fen, payment.payer, payment.text)
    return suggest(money, debtors(tenant_id=payment.tenant_id)) if money.amount_fen else []
