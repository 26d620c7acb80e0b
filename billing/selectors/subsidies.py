"""What the district may be asked to pay: relief on documents that were paid, each fact once."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Max, QuerySet, Sum

from base_ops.core.errors import NotFound
from billing.models import Claim, ClaimLine, PolicyRow

DISTRICT = "district_fiscal"


class NoSuchClaim(NotFound):
    """There is no such claim."""

    code, title_zh, title_en = "no_such_claim", "没有该补贴申领", "No such claim"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One fact that a programme lowered the price of.

    `problem` is empty when it can be claimed: else `unpaid`, or `claimed` with the programme that
    has it.
    """

    fact_id: int
    source: str
    tenant_id: int
    tenant: str
    invoice_id: int
    invoice: str
    booking_code: str
    service_on: date
    amount_fen: int
    problem: str
    claimed_by: str


_CANDIDATES = """
SELECT f.id, f.source, f.tenant_id, t.code, i.id, i.number, max(c.booking_code),
       min(c.service_on), (-sum(l.gross_fen - red.gross_fen))::bigint,
       CASE WHEN max(cl.programme) IS NOT NULL THEN 'claimed'
            WHEN o.settled_fen < o.gross_fen THEN 'unpaid' ELSE '' END,
       coalesce(max(cl.programme), '')
  FROM billing_charge c
  JOIN billing_usagefact f ON f.id = c.fact_id
  JOIN billing_invoiceline l ON l.charge_id = c.id
  JOIN billing_invoice i ON i.id = l.invoice_id AND i.status = 'issued'
  JOIN billing_openitem o ON o.invoice_id = i.id
  JOIN core_tenant t ON t.id = f.tenant_id
  JOIN LATERAL (SELECT coalesce(sum(r.gross_fen), 0) AS gross_fen FROM billing_redline r
                  JOIN billing_redletter rl ON rl.id = r.red_letter_id
                 WHERE r.line_id = l.id AND rl.state = 'issued') red ON true
  LEFT JOIN LATERAL (SELECT k.programme FROM billing_claimline m
                       JOIN billing_claim k ON k.id = m.claim_id
                      WHERE m.fact_id = f.id AND m.live) cl ON true
 WHERE c.policy = %(programme)s AND c.service_on BETWEEN %(first)s AND %(last)s
   AND i.kind = 'invoice'
 GROUP BY f.id, t.code, i.id, o.invoice_id
HAVING sum(l.gross_fen - red.gross_fen) < 0
 ORDER BY min(c.service_on), f.id
 LIMIT 5000
"""


def programmes() -> list[str]:
    """Codes of the policies that the district funds."""
    rows = PolicyRow.objects.filter(funding=DISTRICT)
    return sorted(set(rows.values_list("code", flat=True)))


def candidates(*, programme: str, first: date, last: date) -> list[Candidate]:
    """Every fact of the period that the programme lowered, claimable or not."""
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"programme": programme, "first": first, "last": last})
        return [Candidate(*row) for row in cursor.fetchall()]


def claims(*, programme: str | None = None, status: str | None = None) -> QuerySet[Claim]:
    """Claims, newest first."""
    rows = Claim.objects.all()
    if programme:
        rows = rows.filter(programme=programme)
    return rows.filter(status=status) if status else rows


def claim(claim_id: int) -> Claim:
    """One claim.

    Raises:
        NoSuchClaim: there is none.
    """
    if (found := Claim.objects.filter(pk=claim_id).first()) is None:
        raise NoSuchClaim(f"claim {claim_id}")
    return found


def figures() -> list[Any]:
    """Claims by programme and state: sums only, no tenant's line can be told from them."""
    rows = Claim.objects.exclude(status="discarded").order_by("programme", "status")
    found = rows.values("programme", "status").annotate(
        claims=Count("pk"),
        facts=Sum("line_count"),
        requested_fen=Sum("requested_fen"),
        accepted_fen=Sum("accepted_fen"),
        latest=Max("period_to"),
    )
    return list(found)


def lines(row: Claim) -> QuerySet[ClaimLine]:
    """Its lines with what they are about."""
    return ClaimLine.objects.filter(claim=row).select_related("tenant", "invoice", "fact")
