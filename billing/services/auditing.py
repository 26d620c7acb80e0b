"""The nightly self-audit: what must hold among charges, documents, numbers and budgets.

`CHECKS` is open: a check is a query whose every row is a fault (what, detail).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from base_ops.core import clock, live
from base_ops.core import notifications as notices
from base_ops.core.models import Role
from billing.domain.texts import Bi, local_day
from billing.models import SelfAudit
from billing.selectors import books

logger = logging.getLogger(__name__)

TOPIC = "billing.audit"
AFTER = timedelta(hours=2, minutes=30)  # past midnight in Shanghai
SHOWN = 100  # faults of one check that are kept
SHANGHAI = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and the query that finds what breaks it."""

    code: str
    name: Bi
    sql: str


CHECKS: list[Check] = [
    Check(
        "charges_from_facts",
        Bi("已计费明细与冻结报价一致", "Stays are charged as they were quoted"),
        """
SELECT f.source, 'line ' || q.place || ': ' || coalesce(c.gross_fen::text, 'none')
       || ' instead of ' || (q.line->>'gross_fen')
  FROM billing_usagefact f
  CROSS JOIN LATERAL jsonb_array_elements(f.payload->'quote'->'lines') WITH ORDINALITY
       AS q (line, place)
  LEFT JOIN billing_charge c ON c.source = f.source || '/line/' || (q.place - 1)
 WHERE f.kind = 'booking' AND f.payload->>'outcome' = 'completed'
   AND f.recorded_at >= %(since)s
   AND (c.gross_fen, c.net_fen, c.vat_fen) IS DISTINCT FROM
       ((q.line->>'gross_fen')::bigint, (q.line->>'net_fen')::bigint,
        (q.line->>'vat_fen')::bigint)
""",
    ),
    Check(
        "tax_by_line",
        Bi("每行不含税额与税额正确拆分", "Net and VAT of each charge are split right"),
        """
SELECT source, 'net ' || net_fen || ' of ' || gross_fen || ' at ' || vat_rate
  FROM billing_charge
 WHERE created_at >= %(since)s AND net_fen <> round(gross_fen / (1 + vat_rate))
""",
    ),
    Check(
        "documents_add_up",
        Bi("单据合计等于各行之和", "Documents are the sums of their lines"),
        """
SELECT i.number, 'lines ' || coalesce(s.gross, 0) || ', document ' || i.gross_fen
  FROM billing_invoice i LEFT JOIN (
       SELECT invoice_id, count(*) AS n, sum(net_fen) AS net, sum(vat_fen) AS vat,
              sum(gross_fen) AS gross FROM billing_invoiceline GROUP BY invoice_id
  ) s ON s.invoice_id = i.id
 WHERE i.issued_at >= %(since)s AND i.number IS NOT NULL
   AND (coalesce(s.n, 0), coalesce(s.net, 0), coalesce(s.vat, 0), coalesce(s.gross, 0))
       IS DISTINCT FROM (i.line_count::bigint, i.net_fen::numeric, i.vat_fen::numeric,
                         i.gross_fen::numeric)
""",
    ),
    Check(
        "lines_from_charges",
        Bi("单据各行等于其计费明细", "Lines of documents are their charges"),
        """
SELECT i.number, 'line ' || l.position || ': ' || l.gross_fen || ' instead of ' || c.gross_fen
  FROM billing_runentry e JOIN billing_invoice i ON i.id = e.invoice_id
  JOIN billing_invoiceline l ON l.invoice_id = i.id
  JOIN billing_charge c ON c.id = l.charge_id
 WHERE i.issued_at >= %(since)s
   AND (l.net_fen, l.vat_fen, l.gross_fen, l.vat_rate) IS DISTINCT FROM
       (c.net_fen, c.vat_fen, c.gross_fen, c.vat_rate)
""",
    ),
    Check(
        "numbers_without_gaps",
        Bi("号码连续", "Numbers have no gaps"),
        """
SELECT s.series || '-' || s.year || '-' || lpad(n::text, 6, '0'), 'missing'
  FROM billing_numberseries s CROSS JOIN LATERAL generate_series(1, s.last) n
 WHERE s.series IN ('PYB', 'PYC') AND NOT EXISTS (
       SELECT FROM billing_invoice i
        WHERE i.number = s.series || '-' || s.year || '-' || lpad(n::text, 6, '0'))
""",
    ),
    Check(
        "budgets_from_reservations",
        Bi("预算占用等于各项占用之和", "Budgets are the sums of what was promised"),
        """
SELECT b.policy_code || ' ' || b.year, 'reserved ' || b.reserved_fen || ' instead of '
       || coalesce(s.reserved, 0) || ', committed ' || b.committed_fen || ' instead of '
       || coalesce(s.committed, 0)
  FROM billing_budget b LEFT JOIN (
       SELECT u.budget_id,
              sum(u.amount_fen) FILTER (WHERE r.state = 'reserved') AS reserved,
              sum(u.amount_fen) FILTER (WHERE r.state = 'committed') AS committed
         FROM billing_policyuse u JOIN billing_reservation r ON r.id = u.reservation_id
        GROUP BY u.budget_id
  ) s ON s.budget_id = b.id
 WHERE (b.reserved_fen, b.committed_fen) IS DISTINCT FROM
       (coalesce(s.reserved, 0)::bigint, coalesce(s.committed, 0)::bigint)
""",
    ),
    Check(
        "books_agree",
        Bi("账簿借贷平衡且与收付一致", "The books balance and agree with the money"),
        books.AUDIT,
    ),
]


def audit_due(now: datetime) -> bool:
    """Audit once a day, after half past two in Shanghai; whether it did now."""
    day = local_day(now)
    midnight = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) - SHANGHAI
    if now < midnight + AFTER or SelfAudit.objects.filter(day=day).exists():
        return False
    audit(now)
    return True


def audit(now: datetime) -> SelfAudit:
    """Make every check, of one moment; keep what it found, and tell finance when it failed."""
    month = local_day(now).replace(day=1)
    earlier = (month - timedelta(days=1)).replace(day=1)
    since = datetime(earlier.year, earlier.month, 1, tzinfo=now.tzinfo) - SHANGHAI
    with transaction.atomic():
        checks = [_made(check, since) for check in CHECKS]
        count = sum(check["fault_count"] for check in checks)
        row = SelfAudit.objects.create(
            day=local_day(now),
            started_at=now,
            finished_at=clock.now(),
            ok=not count,
            fault_count=count,
            checks=checks,
        )
        if count:
            failed = ", ".join(check["code"] for check in checks if check["fault_count"])
            logger.error("audit.failed", extra={"faults": count, "checks": failed})
            notices.tell(
                kind="billing.audit_failed",
                audience=notices.roles(Role.FINANCE, Role.ADMIN),
                params={"faults": count, "checks": failed},
                dedup=f"self-audit/{row.day}",
                now=now,
            )
        live.publish(
            {TOPIC: {"last": {"day": f"{row.day}", "ok": row.ok, "faults": count}}}, now=now
        )
    return row


def _made(check: Check, since: datetime) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({check.sql}) f", {"since": since})  # noqa: S608
        count = int(cursor.fetchone()[0])
        cursor.execute(f"{check.sql} LIMIT {SHOWN}", {"since": since})
        faults = [{"what": what, "detail": detail} for what, detail in cursor.fetchall()]
    return {
        "code": check.code,
        "name_zh": check.name.zh,
        "name_en": check.name.en,
        "fault_count": count,
        "faults": faults,
    }
