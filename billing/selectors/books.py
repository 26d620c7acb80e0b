"""The books: trial balance, entries, and whether they agree with what they are about."""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import QuerySet

from billing.models import Entry


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One account in a span of days, in fen: a debit balance is positive."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    opening_fen: int
    debit_fen: int
    credit_fen: int

    @property
    def closing_fen(self) -> int:
        """At the end of the last day."""
        return self.opening_fen + self.debit_fen - self.credit_fen


_TRIAL = """
SELECT a.code, a.name_zh, a.name_en, a.kind,
       coalesce(sum(p.amount_fen) FILTER (WHERE p."on" < %(first)s), 0)::bigint,
       coalesce(sum(p.amount_fen) FILTER (
           WHERE p."on" >= %(first)s AND p.amount_fen > 0), 0)::bigint,
       coalesce(-sum(p.amount_fen) FILTER (
           WHERE p."on" >= %(first)s AND p.amount_fen < 0), 0)::bigint
  FROM billing_account a
  LEFT JOIN (SELECT account_id, amount_fen, e."on"
               FROM billing_posting JOIN billing_entry e ON e.id = entry_id
              WHERE e."on" <= %(last)s) p ON p.account_id = a.id
 GROUP BY a.id ORDER BY a.code
"""


def trial_balance(*, first: date, last: date) -> list[AccountBalance]:
    """Every account: its balance before, what moved within both days included."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL, {"first": first, "last": last})
        return [AccountBalance(*row) for row in cursor.fetchall()]


def entries(
    *, tenant: str | None = None, first: date | None = None, last: date | None = None,
    kind: str | None = None,
) -> QuerySet[Entry]:  # fmt: skip
    """Entries with their postings."""
    rows = Entry.objects.select_related("tenant", "invoice")
    rows = rows.prefetch_related("postings__account")
    if tenant:
        rows = rows.filter(tenant__code=tenant)
    if first:
        rows = rows.filter(on__gte=first)
    if last:
        rows = rows.filter(on__lte=last)
    return rows.filter(kind=kind) if kind else rows


_UNBALANCED = """
SELECT e.source FROM billing_entry e LEFT JOIN billing_posting p ON p.entry_id = e.id
 GROUP BY e.id HAVING count(p.id) < 2 OR sum(p.amount_fen) <> 0 LIMIT 5
"""
_MISCOUNTED = """
SELECT 'payment ' || p.id FROM billing_payment p
  LEFT JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS n FROM billing_allocation
                      WHERE payment_id = p.id) a ON true
  LEFT JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS n FROM billing_refund
                      WHERE payment_id = p.id) r ON true
 WHERE (p.allocated_fen, p.refunded_fen) <> (a.n, r.n)
UNION ALL
SELECT 'document ' || o.invoice_id FROM billing_openitem o
  LEFT JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS n FROM billing_allocation
                      WHERE item_id = o.invoice_id) a ON true
 WHERE o.settled_fen <> a.n
LIMIT 5
"""
_CONTROLS = """
WITH ledger AS (
    SELECT a.role, sum(p.amount_fen) AS n
      FROM billing_posting p JOIN billing_account a ON a.id = p.account_id GROUP BY a.role
), facts AS (
    SELECT 'receivable' AS role,
           (SELECT coalesce(sum(gross_fen - settled_fen), 0) FROM billing_openitem WHERE posted)
         + (SELECT coalesce(sum(allocated_fen + moved_fen + refunded_fen), 0)
              FROM billing_payment WHERE method = 'credit_note') AS n
    UNION ALL
    SELECT 'unallocated', -coalesce(sum(amount_fen - allocated_fen - moved_fen - refunded_fen), 0)
      FROM billing_payment WHERE method <> 'credit_note' AND voided_at IS NULL
    UNION ALL
    SELECT 'wallet', -coalesce(sum(balance_fen), 0) FROM billing_wallet
    UNION ALL
    SELECT 'deposit', -coalesce(sum(taken_fen - set_off_fen - returned_fen), 0)
      FROM billing_deposit
    UNION ALL
    SELECT 'district', coalesce(sum(CASE status WHEN 'submitted' THEN requested_fen
                                                ELSE accepted_fen END), 0)
      FROM billing_claim WHERE status IN ('submitted', 'accepted', 'cut')
)
SELECT f.role || ': ledger ' || coalesce(l.n, 0) || ', facts ' || f.n
  FROM facts f LEFT JOIN ledger l ON l.role = f.role WHERE coalesce(l.n, 0) <> f.n
"""

AUDIT = f"""
SELECT 'unbalanced', found.detail FROM ({_UNBALANCED}) AS found (detail)
UNION ALL
SELECT 'miscounted', found.detail FROM ({_MISCOUNTED}) AS found (detail)
UNION ALL
SELECT 'control', found.detail FROM ({_CONTROLS}) AS found (detail)
"""  # noqa: S608 - ours
"""All three at once, for the nightly audit: what, and where."""


def disagreements() -> list[str]:
    """Where the books do not balance, or say something else than what they are about.

    Empty when every entry balances, every counter is the sum of its rows, and the accounts of
    receivables, receipts, wallets and deposits hold what documents and payments say.
    """
    with connection.cursor() as cursor:
        cursor.execute(AUDIT)
        return [f"{what}: {detail}" for what, detail in cursor.fetchall()]
