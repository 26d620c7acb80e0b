"""Red letters as the API shows them."""

from typing import Any

from base_ops.core.schemas import TenantRef
from billing.domain.capitals import capitals
from billing.domain.reds import REASONS, BuyerUse, RedReason
from billing.models import Invoice, InvoiceStanding, RedLetter
from billing.schemas.reds import (
    InvoiceStandingOut,
    LeftOut,
    RedLetterDetailOut,
    RedLetterOut,
    RedLineOut,
)
from billing.selectors import reds

_PLAIN = (
    "id", "note", "state", "buyer_use", "net_fen", "vat_fen", "gross_fen", "created_by",
    "created_at", "expires_at", "decided_by", "decided_at", "decision_note",
)  # fmt: skip


def red_letter(row: RedLetter) -> RedLetterOut:
    """One without its lines."""
    return RedLetterOut(**_fields(row))


def red_letter_detail(row: RedLetter) -> RedLetterDetailOut:
    """One with its lines."""
    lines = [
        RedLineOut(
            position=part.line.position,
            description_zh=part.line.description_zh,
            description_en=part.line.description_en,
            net_fen=part.net_fen,
            vat_fen=part.vat_fen,
            gross_fen=part.gross_fen,
        )
        for part in row.lines.select_related("line").order_by("line__position")
    ]
    return RedLetterDetailOut(
        **_fields(row), capitals_zh=f"人民币{capitals(-row.gross_fen)}", lines=lines
    )


def _fields(row: RedLetter) -> dict[str, Any]:
    code, zh, en = REASONS[RedReason(row.reason)]
    return {name: getattr(row, name) for name in _PLAIN} | {
        "invoice": row.invoice.number,
        "tenant": TenantRef.from_orm(row.invoice.tenant),
        "reason": row.reason,
        "reason_code": code,
        "reason_zh": zh,
        "reason_en": en,
        "started_by": row.started_by_side,
        "credit_note": row.credit_note.number if row.credit_note else None,
    }


def standing(invoice: Invoice) -> InvoiceStandingOut:
    """An invoice's standing; one that nobody touched has nothing taken off."""
    row = InvoiceStanding.objects.filter(invoice=invoice).first()
    credited = row.credited_fen if row else 0
    letters = RedLetter.objects.filter(invoice=invoice)
    return InvoiceStandingOut(
        invoice=str(invoice.number),
        buyer_use=BuyerUse(row.buyer_use) if row else BuyerUse.NONE,
        buyer_use_on=row.buyer_use_on if row else None,
        gross_fen=invoice.gross_fen,
        credited_fen=credited,
        left_fen=invoice.gross_fen - credited,
        lines=[
            LeftOut(
                position=place,
                net_fen=entry.left.net_fen,
                vat_fen=entry.left.vat_fen,
                gross_fen=entry.left.gross_fen,
            )
            for place, entry in sorted(reds.left_by_line(invoice).items())
        ],
        red_letters=[
            red_letter(row)
            for row in letters.select_related("invoice__tenant", "credit_note")[:200]
        ],
    )
