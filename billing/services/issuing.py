"""A batch of documents: frozen charges → invoices with lines → numbers, last.

Lines never leave the database, so that a batch is a handful of statements, whatever its size.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from billing.domain.quarantine import INPUTS_CHANGED
from billing.domain.texts import local_day
from billing.models import InvoiceRun, RunEntry
from billing.models.charges import Document
from billing.models.usage import ReservationState
from billing.selectors.seller import as_copied
from billing.seller import TERMS_DAYS
from billing.services import budgets, numbers
from billing.services.planning import FINGERPRINT

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """How much is made in one transaction: documents, and lines unless one alone has more."""

    documents: int = 100
    lines: int = 5000


STANDARD, ALONE = Batch(), Batch(documents=1)


@dataclass(slots=True)
class Picked:
    """The documents of a batch; three lists side by side."""

    entries: list[int]
    documents: list[str]
    invoices: list[int] = field(default_factory=list)


_PICK = """
SELECT id, document FROM (
    SELECT id, document, position,
           sum(lines) OVER (ORDER BY position) - lines AS before
      FROM (SELECT id, document, position, jsonb_array_length(charge_ids) AS lines
              FROM billing_runentry
             WHERE run_id = %s AND invoice_id IS NULL AND problem = ''
             ORDER BY position LIMIT %s) next
) counted WHERE before < %s ORDER BY position
"""
# A batch looks up few rows by their keys. A plan that reads all charges, because many are
# expected, would be as good for one batch and make the time of a run grow by the square.
_BY_KEYS = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_AS_BEFORE = "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT"
_CHANGED = f"""
SELECT e.id FROM billing_runentry e CROSS JOIN LATERAL (
    SELECT {FINGERPRINT.format(order="x.place")} AS hash
      FROM jsonb_array_elements_text(e.charge_ids) WITH ORDINALITY AS x (id, place)
      JOIN billing_charge c ON c.id = x.id::bigint
     WHERE NOT EXISTS (SELECT FROM billing_invoiceline l WHERE l.charge_id = c.id)
) now
 WHERE e.id = ANY(%s) AND now.hash <> e.inputs_hash
"""  # noqa: S608 - constants
_IDS = (
    "SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id')) FROM generate_series(1, %s)"
)
_DRAFTS = """
INSERT INTO billing_invoice (id, kind, status, tenant_id, period_from, period_to, issued_at,
                             issued_on, due_on, seller, buyer, line_count, net_fen, vat_fen,
                             gross_fen)
SELECT w.invoice_id, e.document, 'draft', t.id, %(period_from)s, %(period_to)s, %(now)s,
       %(today)s, %(due)s, %(seller)s::jsonb,
       jsonb_build_object('code', t.code, 'name_zh', t.name_zh, 'name_en', t.name_en,
                          'uscc', coalesce(t.uscc, ''), 'town_zh', t.town_street,
                          'invoice_type', t.invoice_type), 0, 0, 0, 0
  FROM unnest(%(entries)s::bigint[], %(invoices)s::bigint[]) AS w (entry_id, invoice_id)
  JOIN billing_runentry e ON e.id = w.entry_id JOIN core_tenant t ON t.id = e.tenant_id
"""
_COPIED = (
    "description_zh, description_en, band, surge, quantity, unit, unit_fen, price_text, policy,"
    " vat_category, vat_rate, net_fen, vat_fen, gross_fen"
)
_LINES = f"""
INSERT INTO billing_invoiceline (invoice_id, charge_id, position, {_COPIED})
SELECT w.invoice_id, c.id, x.place, {", ".join(f"c.{name}" for name in _COPIED.split(", "))}
  FROM unnest(%(entries)s::bigint[], %(invoices)s::bigint[]) AS w (entry_id, invoice_id)
  JOIN billing_runentry e ON e.id = w.entry_id
  CROSS JOIN LATERAL jsonb_array_elements_text(e.charge_ids) WITH ORDINALITY AS x (id, place)
  JOIN billing_charge c ON c.id = x.id::bigint
"""  # noqa: S608 - constants
_PROMISES = """
SELECT DISTINCT r.source
  FROM billing_invoiceline l JOIN billing_charge c ON c.id = l.charge_id
  JOIN billing_usagefact f ON f.id = c.fact_id
  JOIN billing_reservation r ON r.source = f.source
 WHERE l.invoice_id = ANY(%s) AND r.state = 'reserved'
"""
_NUMBERED = """
WITH sums AS (
    SELECT invoice_id, count(*) AS n, sum(net_fen) AS net, sum(vat_fen) AS vat,
           sum(gross_fen) AS gross
      FROM billing_invoiceline WHERE invoice_id = ANY(%(invoices)s) GROUP BY invoice_id
), issued AS (
    UPDATE billing_invoice i
       SET status = 'issued', number = w.number, line_count = s.n, net_fen = s.net,
           vat_fen = s.vat, gross_fen = s.gross
      FROM unnest(%(invoices)s::bigint[], %(numbers)s::text[]) AS w (id, number)
      JOIN sums s ON s.invoice_id = w.id
     WHERE i.id = w.id
)
UPDATE billing_runentry e SET invoice_id = w.invoice_id, problem = '', note = ''
  FROM unnest(%(entries)s::bigint[], %(invoices)s::bigint[]) AS w (entry_id, invoice_id)
 WHERE e.id = w.entry_id
"""


def pick(run: InvoiceRun, batch: Batch) -> Picked:
    """The next documents in order of their places."""
    with connection.cursor() as cursor:
        cursor.execute(_PICK, [run.pk, batch.documents, batch.lines])
        found = cursor.fetchall()
    return Picked([pk for pk, _ in found], [document for _, document in found])


def issue(picked: Picked, *, run: InvoiceRun, now: datetime) -> int:
    """Make the documents in the caller's transaction; those whose charges changed are left out.

    Returns:
        How many were made.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEYS)
        picked = _quarantined(cursor, picked, run)
        if picked.entries:
            _write(cursor, picked, run, now)
        cursor.execute(_AS_BEFORE)
    return len(picked.entries)


def _quarantined(cursor: Any, picked: Picked, run: InvoiceRun) -> Picked:
    """Put aside what is not as it was previewed; the rest."""
    cursor.execute(_CHANGED, [picked.entries])
    changed = {pk for (pk,) in cursor.fetchall()}
    if not changed:
        return picked
    RunEntry.objects.filter(pk__in=changed).update(problem=INPUTS_CHANGED)
    logger.warning("run.quarantined", extra={"run": run.pk, "entries": sorted(changed)})
    left = [
        (pk, document)
        for pk, document in zip(picked.entries, picked.documents, strict=True)
        if pk not in changed
    ]
    return Picked([pk for pk, _ in left], [document for _, document in left])


def _write(cursor: Any, picked: Picked, run: InvoiceRun, now: datetime) -> None:
    """Drafts, lines, budgets; then the numbers, whose lock is held from there to the commit."""
    today = local_day(now)
    cursor.execute(_IDS, [len(picked.entries)])
    picked.invoices = [pk for (pk,) in cursor.fetchall()]
    places = {"entries": picked.entries, "invoices": picked.invoices}
    dates = {"now": now, "today": today, "due": today + timedelta(days=TERMS_DAYS)}
    period = {"period_from": run.period_from, "period_to": run.period_to}
    seller = {"seller": json.dumps(as_copied(), ensure_ascii=False)}
    cursor.execute(_DRAFTS, places | dates | period | seller)
    cursor.execute(_LINES, places)
    cursor.execute(_PROMISES, [picked.invoices])
    promised = sorted(source for (source,) in cursor.fetchall())
    if promised:
        budgets.settle(sources=promised, state=ReservationState.COMMITTED, now=now)
    drawn = _numbers(picked.documents, today.year)
    cursor.execute(_NUMBERED, places | {"numbers": drawn})


def _numbers(documents: Sequence[str], year: int) -> list[str]:
    """A number for each, each series in the order of the documents; series locked in one order."""
    drawn = {
        kind: iter(numbers.draw_many(document=kind, year=year, count=documents.count(kind)))
        for kind in sorted(Document.values)
    }
    return [next(drawn[kind]) for kind in documents]
