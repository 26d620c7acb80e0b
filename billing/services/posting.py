"""Writes the books: one entry per fact, once, in an open month; documents by the batch."""

from collections.abc import Mapping
from datetime import date, datetime

from base_ops.core import statements
from base_ops.core.errors import Conflict, FieldFault
from billing.domain.accounts import CHART
from billing.models import Account

BATCH = 1000


class PeriodClosed(Conflict):
    """The books of that month are closed: nothing more is written into it."""

    code, title_zh, title_en = "period_closed", "该月已结账", "The books of that month are closed"


_MONTH_CLOSED = """
SELECT EXISTS (SELECT FROM billing_period
                WHERE month = date_trunc('month', %s::date)::date AND closed)
  FROM (SELECT pg_advisory_xact_lock_shared(
            7302612, (extract(year FROM %s::date) * 12 + extract(month FROM %s::date))::int)) l
"""
_POST = """
WITH entry AS (
    INSERT INTO billing_entry (source, kind, tenant_id, invoice_id, "on", revenue_on, vat_on,
                               memo, created_at)
    VALUES (%s, %s, %s, NULL, %s, NULL, NULL, %s, %s)
    ON CONFLICT (source) DO NOTHING RETURNING id
)
INSERT INTO billing_posting (entry_id, account_id, tenant_id, amount_fen)
SELECT entry.id, a.id, %s, w.amount
  FROM entry, unnest(%s::text[], %s::bigint[]) AS w (role, amount)
  JOIN billing_account a ON a.role = w.role WHERE w.amount <> 0
"""
# Revenue counts in the month of its use, tax on the day of the document: two kinds of entries,
# with the tax that is not due yet between them. Of a closed month, both count on the latter day.
_DOCUMENTS = """
WITH batch AS MATERIALIZED (
    SELECT o.invoice_id, o.tenant_id, o.gross_fen, o.issued_on, i.number, i.kind
      FROM billing_openitem o JOIN billing_invoice i ON i.id = o.invoice_id
     WHERE NOT o.posted ORDER BY o.invoice_id LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED
), marked AS (
    UPDATE billing_openitem o SET posted = true FROM batch b WHERE o.invoice_id = b.invoice_id
    RETURNING o.invoice_id
), sums AS MATERIALIZED (
    SELECT b.invoice_id,
           (date_trunc('month', coalesce(c.service_on, b.issued_on))
            + interval '1 month - 1 day')::date AS last_day,
           coalesce(a.role, 'other') AS role, sum(l.net_fen) AS net, sum(l.vat_fen) AS vat
      FROM batch b JOIN billing_invoiceline l ON l.invoice_id = b.invoice_id
      LEFT JOIN billing_charge c ON c.id = l.charge_id
      LEFT JOIN billing_account a ON c.kind = ANY(a.charge_kinds)
     GROUP BY 1, 2, 3
), dated AS (
    SELECT s.*, b.tenant_id, b.number, b.kind, b.issued_on,
           CASE WHEN EXISTS (SELECT FROM billing_period p
                              WHERE p.month = date_trunc('month', s.last_day)::date AND p.closed)
                THEN b.issued_on ELSE least(s.last_day, b.issued_on) END AS revenue_day
      FROM sums s JOIN batch b ON b.invoice_id = s.invoice_id
), parts AS MATERIALIZED (
    SELECT d.kind || '/' || d.number || '/revenue/' || to_char(d.last_day, 'YYYY-MM') AS source,
           d.kind, d.tenant_id, d.invoice_id, d.revenue_day AS "on", d.last_day AS revenue_on,
           NULL::date AS vat_on, v.role, v.amount
      FROM dated d CROSS JOIN LATERAL (
           VALUES ('receivable', d.net + d.vat), (d.role, -d.net), ('vat_pending', -d.vat)
      ) AS v (role, amount)
    UNION ALL
    SELECT d.kind || '/' || d.number || '/vat', d.kind || '_vat', d.tenant_id, d.invoice_id,
           d.issued_on, NULL, d.issued_on, v.role, v.amount
      FROM dated d CROSS JOIN LATERAL (
           VALUES ('vat_pending', d.vat), ('vat', -d.vat)
      ) AS v (role, amount)
), sides AS MATERIALIZED (
    SELECT source, kind, tenant_id, invoice_id, "on", revenue_on, vat_on, role,
           sum(amount) AS amount
      FROM parts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(amount) <> 0
), entries AS (
    INSERT INTO billing_entry (source, kind, tenant_id, invoice_id, "on", revenue_on, vat_on,
                               memo, created_at)
    SELECT DISTINCT source, kind, tenant_id, invoice_id, "on", revenue_on, vat_on, '', %(now)s
      FROM sides ORDER BY source
    ON CONFLICT (source) DO NOTHING RETURNING id, source
), postings AS (
    INSERT INTO billing_posting (entry_id, account_id, tenant_id, amount_fen)
    SELECT e.id, a.id, s.tenant_id, s.amount
      FROM entries e JOIN sides s ON s.source = e.source JOIN billing_account a ON a.role = s.role
), credits AS (
    INSERT INTO billing_payment
           (source, tenant_id, method, amount_fen, allocated_fen, moved_fen, refunded_fen,
            received_on, payer, text, note, credit_note_id, created_by, created_at)
    SELECT 'credit_note/' || b.number, b.tenant_id, 'credit_note', -b.gross_fen, 0, 0, 0,
           b.issued_on, '', b.number, '', b.invoice_id, 'system', %(now)s
      FROM batch b WHERE b.gross_fen < 0
    ON CONFLICT (source) DO NOTHING
)
SELECT count(*) FROM marked
"""


def ensure_chart() -> None:
    """Add the accounts that are not there; those that were changed stay as they are."""
    if Account.objects.filter(role__in=[a.role for a in CHART]).count() == len(CHART):
        return
    Account.objects.bulk_create(
        (
            Account(
                code=a.code, role=a.role, name_zh=a.name_zh, name_en=a.name_en, kind=a.kind,
                charge_kinds=list(a.charge_kinds),
            )
            for a in CHART
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def is_closed(on: date) -> bool:
    """Whether the month of a day is closed; it stays so until this transaction ends."""
    found = statements.first(_MONTH_CLOSED, [on, on, on])
    return bool(found and found[0])


def check_open(on: date, *, field: str = "on") -> None:
    """Refuse a day of a closed month.

    Raises:
        PeriodClosed: name the field of the request.
    """
    if is_closed(on):
        fault = FieldFault(field, f"{on:%Y-%m} 已结账", f"{on:%Y-%m} is closed")
        raise PeriodClosed(f"{on:%Y-%m}", fields=[fault], month=f"{on:%Y-%m}")


def open_day(wanted: date, *, today: date) -> date:
    """The day on which something of `wanted` counts: itself, or today when its month is closed."""
    return today if is_closed(wanted) else wanted


def post(
    *,
    source: str,
    kind: str,
    on: date,
    sides: Mapping[str, int],
    tenant_id: int | None = None,
    memo: str = "",
    now: datetime,
) -> None:
    """Write one entry in the caller's transaction; the same source again changes nothing.

    Args:
        source: unique name of the fact.
        kind: what kind of fact.
        on: the day in whose month it counts.
        sides: fen by the roles of accounts; debits above, credits below zero; their sum is zero.
        tenant_id: whose sub-account.
        memo: for people.
        now: when.

    Raises:
        PeriodClosed: that month is closed.
        ValueError: the sides do not balance.
    """
    if sum(sides.values()):
        raise ValueError(f"{source} does not balance: {sides}")
    if not any(sides.values()):
        return
    ensure_chart()
    check_open(on)
    roles, amounts = list(sides), list(sides.values())
    statements.ask(
        _POST, [source, kind, tenant_id, on, memo[:200], now, tenant_id, roles, amounts]
    )


def post_documents(now: datetime) -> int:
    """Write entries for issued documents that have none; returns how many documents.

    A batch is one statement; whoever comes at the same time takes other documents.
    """
    ensure_chart()
    done = 0
    while found := statements.first(_DOCUMENTS, {"limit": BATCH, "now": now}):
        done += found[0]
        if found[0] < BATCH:
            break
    return done
