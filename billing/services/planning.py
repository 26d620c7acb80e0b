"""Which documents the open charges make: counted, ordered and fingerprinted by the database.

The fingerprints are those of `billing.domain.inputs`.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db import connection

from billing.domain.quarantine import WRONG_SIGN
from billing.models import InvoiceRun
from billing.models.invoices import RunStatus

FINGERPRINT = (
    "encode(sha256(convert_to(coalesce(string_agg(concat_ws(' ', c.id, c.net_fen, c.vat_fen,"
    " c.gross_fen), E'\\n' ORDER BY {order}), ''), 'UTF8')), 'hex')"
)
# All open charges up to the period's end, those of earlier periods too.
_DOCUMENTS = f"""
WITH documents AS MATERIALIZED (
    SELECT c.tenant_id, c.document, jsonb_agg(c.id ORDER BY c.service_on, c.id) AS charge_ids,
           {FINGERPRINT.format(order="c.service_on, c.id")} AS hash,
           sum(c.net_fen)::bigint AS net, sum(c.vat_fen)::bigint AS vat,
           sum(c.gross_fen)::bigint AS gross
      FROM billing_charge c
     WHERE c.service_on <= %(period_to)s AND c.id <= %(cutoff)s
       AND NOT EXISTS (SELECT FROM billing_invoiceline l WHERE l.charge_id = c.id)
     GROUP BY c.tenant_id, c.document
), placed AS (
    SELECT d.*, t.code, row_number() OVER (ORDER BY t.code COLLATE "C", d.document) AS position
      FROM documents d JOIN core_tenant t ON t.id = d.tenant_id
)"""  # noqa: S608 - constants
_RUN_HASH = (
    "encode(sha256(convert_to(coalesce(string_agg(concat_ws(' ', p.code, p.document, p.hash),"
    " E'\\n' ORDER BY p.position), ''), 'UTF8')), 'hex')"
)
_FREEZE = f"""{_DOCUMENTS}, frozen AS (
    INSERT INTO billing_runentry (run_id, position, tenant_id, document, charge_ids, inputs_hash,
                                  net_fen, vat_fen, gross_fen, problem, note)
    SELECT %(run)s, position, tenant_id, document, charge_ids, hash, net, vat, gross,
           CASE WHEN (document = 'invoice' AND gross < 0)
                  OR (document = 'credit_note' AND gross > 0) THEN '{WRONG_SIGN}' ELSE '' END, ''
      FROM placed ORDER BY position
)
UPDATE billing_invoicerun r
   SET inputs_hash = s.hash, entries_total = s.n, net_fen = s.net, vat_fen = s.vat,
       gross_fen = s.gross
  FROM (SELECT {_RUN_HASH} AS hash, count(*) AS n, coalesce(sum(net), 0) AS net,
               coalesce(sum(vat), 0) AS vat, coalesce(sum(gross), 0) AS gross FROM placed p) s
 WHERE r.id = %(run)s
"""  # noqa: S608 - constants
_HASH = f"{_DOCUMENTS} SELECT {_RUN_HASH} FROM placed p"  # noqa: S608 - constants
_RIVALS = """
SELECT o.id FROM billing_invoicerun r, billing_invoicerun o
 WHERE r.id = %(run)s AND o.id <> r.id AND o.status = ANY(%(statuses)s)
   AND ((o.period_from <= r.period_to AND r.period_from <= o.period_to) OR EXISTS (
        SELECT FROM billing_runentry mine
          JOIN billing_runentry other USING (tenant_id, document)
          CROSS JOIN LATERAL jsonb_array_elements(mine.charge_ids) a (id)
          JOIN LATERAL jsonb_array_elements(other.charge_ids) b (id) ON a.id = b.id
         WHERE mine.run_id = r.id AND other.run_id = o.id))
 ORDER BY o.id
"""


def newest_charge() -> int:
    """The id of the newest charge; what comes later belongs to a later run."""
    return int(_one("SELECT coalesce(max(id), 0) FROM billing_charge", {}))


def freeze(run: InvoiceRun) -> None:
    """Write the entries of a new run and its totals."""
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, _period(run.period_to, run.last_charge_id) | {"run": run.pk})
    run.refresh_from_db()


def is_unchanged(run: InvoiceRun) -> bool:
    """Whether a preview would be the same now."""
    now: str = _one(_HASH, _period(run.period_to, run.last_charge_id))
    return now == run.inputs_hash


def rivals(run: InvoiceRun, statuses: Collection[RunStatus]) -> list[InvoiceRun]:
    """Other runs at these steps with days or charges of this one."""
    with connection.cursor() as cursor:
        cursor.execute(_RIVALS, {"run": run.pk, "statuses": [str(s) for s in statuses]})
        found = [pk for (pk,) in cursor.fetchall()]
    return list(InvoiceRun.objects.filter(pk__in=found).order_by("id"))


def _period(period_to: date, cutoff: int) -> dict[str, Any]:
    return {"period_to": period_to, "cutoff": cutoff}


def _one(sql: str, params: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]
