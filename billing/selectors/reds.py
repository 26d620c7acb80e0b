"""What is left of invoices, and the red letters against them."""

from django.db.models import QuerySet, Sum

from base_ops.core.errors import NotFound
from base_ops.core.models import User
from billing.domain.reds import OPEN, Amount, Billed, RedState
from billing.models import Invoice, RedLetter, RedLine

COUNTED = (*OPEN, RedState.ISSUED)


class NoSuchRedLetter(NotFound):
    """There is no such red letter, or it is another tenant's."""

    code, title_zh, title_en = "no_such_red_letter", "没有该红字确认单", "No such red letter"


def left_by_line(invoice: Invoice) -> dict[int, Billed]:
    """The invoice's lines by position, less what open and issued red letters take off them."""
    rows = RedLine.objects.filter(red_letter__invoice=invoice, red_letter__state__in=COUNTED)
    off = {
        line: Amount(net, vat)
        for line, net, vat in rows.values_list("line").annotate(n=Sum("net_fen"), v=Sum("vat_fen"))
    }
    return {
        line.position: Billed(
            line.position,
            line.vat_category,
            line.vat_rate,
            Amount(line.net_fen, line.vat_fen) - off.get(line.pk, Amount(0, 0)),
        )
        for line in invoice.lines.all()
    }


def red_letters(
    *,
    user: User,
    tenant: str | None = None,
    invoice: str | None = None,
    state: str | None = None,
) -> QuerySet[RedLetter]:
    """Red letters the user may see."""
    rows = RedLetter.objects.select_related("invoice__tenant", "credit_note")
    if user.tenant_id is not None:
        rows = rows.filter(invoice__tenant_id=user.tenant_id)
    if tenant:
        rows = rows.filter(invoice__tenant__code=tenant)
    if invoice:
        rows = rows.filter(invoice__number=invoice)
    return rows.filter(state=state) if state else rows


def red_letter(*, user: User, red_id: int) -> RedLetter:
    """One red letter.

    Raises:
        NoSuchRedLetter: unknown, or another tenant's.
    """
    row = red_letters(user=user).filter(pk=red_id).first()
    if row is None:
        raise NoSuchRedLetter(f"red letter {red_id}")
    return row
