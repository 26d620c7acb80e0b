"""Compares a new run with the period before it, tenant by tenant, in constant memory."""

import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from billing.domain.differences import Beside, Figures, Lapsed, Limits, surprises
from billing.domain.quarantine import WRONG_SIGN
from billing.models import Invoice, InvoiceRun, PolicyRow
from billing.selectors.run_rules import run_rules

_ROWS = 2000
# What is frozen in the run, and what was invoiced of the period before.
_FIGURES = f"""
WITH mine AS MATERIALIZED (
    SELECT e.tenant_id, x.id::bigint AS charge_id
      FROM billing_runentry e CROSS JOIN LATERAL jsonb_array_elements_text(e.charge_ids) AS x (id)
     WHERE e.run_id = %(run)s
), invoiced AS MATERIALIZED (
    SELECT i.id, i.tenant_id FROM billing_invoice i
     WHERE i.number IS NOT NULL AND i.period_to BETWEEN %(before_from)s AND %(before_to)s
), earlier AS (
    SELECT i.tenant_id, l.charge_id FROM invoiced i JOIN billing_invoiceline l
        ON l.invoice_id = i.id
), facts AS (
    SELECT 'now' AS what, m.tenant_id, c.kind, c.policy, sum(c.gross_fen) AS fen,
           count(*) FILTER (WHERE c.service_on < %(period_from)s) AS late,
           coalesce(sum(c.gross_fen) FILTER (WHERE c.service_on < %(period_from)s), 0) AS late_fen
      FROM mine m JOIN billing_charge c ON c.id = m.charge_id
     GROUP BY m.tenant_id, c.kind, c.policy
    UNION ALL
    SELECT 'before', e.tenant_id, c.kind, c.policy, sum(c.gross_fen), 0, 0
      FROM earlier e JOIN billing_charge c ON c.id = e.charge_id
     GROUP BY e.tenant_id, c.kind, c.policy
    UNION ALL
    SELECT 'wrong_sign', e.tenant_id, '', '', e.gross_fen, 0, 0
      FROM billing_runentry e WHERE e.run_id = %(run)s AND e.problem = '{WRONG_SIGN}'
    UNION ALL
    SELECT 'unmeasured', m.tenant_id, '', '', count(DISTINCT f.id), 0, 0
      FROM mine m JOIN billing_charge c ON c.id = m.charge_id AND c.kind = 'room'
      JOIN billing_usagefact f ON f.id = c.fact_id AND f.kind = 'booking'
     WHERE f.payload->>'outcome' = 'completed' AND f.payload->>'energy_wh' IS NULL
       AND coalesce(f.payload->>'included_wh', f.payload->'quote'->>'included_wh') IS NOT NULL
     GROUP BY m.tenant_id
)
SELECT t.code, t.id, t.invoice_type, coalesce(t.uscc, '') = '', f.what, f.kind, f.policy,
       f.fen::bigint, f.late::bigint, f.late_fen::bigint
  FROM facts f JOIN core_tenant t ON t.id = f.tenant_id
 ORDER BY t.code COLLATE "C", t.id, f.what, f.kind, f.policy, f.fen
"""  # noqa: S608 - constants


@dataclass(slots=True)
class _Tenant:
    """What the rows of one tenant add up to."""

    pk: int
    lacks_uscc: bool
    kinds: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    policies: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    wrong_sign: list[int] = field(default_factory=list)
    unmeasured: int = 0
    late: int = 0
    late_fen: int = 0

    def add(self, what: str, kind: str, policy: str, fen: int, late: int, late_fen: int) -> None:
        """Count one row."""
        if what == "wrong_sign":
            self.wrong_sign.append(fen)
        elif what == "unmeasured":
            self.unmeasured = fen
        else:
            kinds, policies = self.kinds[what], self.policies[what]
            kinds[kind] = kinds.get(kind, 0) + fen
            if policy:
                policies[policy] = policies.get(policy, 0) + fen
            self.late += late
            self.late_fen += late_fen

    def figures(self, what: str) -> Figures | None:
        """Of now, or of before; None when there are none."""
        kinds = self.kinds.get(what)
        return None if kinds is None else Figures(kinds, self.policies.get(what, {}))

    @property
    def beside(self) -> Beside:
        """What else is known."""
        lacks = self.lacks_uscc and "now" in self.kinds
        return Beside(tuple(self.wrong_sign), self.unmeasured, self.late, self.late_fen, lacks)


def before(period_from: date, period_to: date) -> tuple[date, date]:
    """The period before: a month before a month, else as many days."""
    last = period_from - timedelta(days=1)
    month_end = monthrange(period_from.year, period_from.month)[1]
    if period_from.day == 1 and period_to == period_from.replace(day=month_end):
        return last.replace(day=1), last
    return last - (period_to - period_from), last


def compare(run: InvoiceRun) -> None:
    """Write how each tenant differs from the period before; in the transaction of the preview.

    When nothing was invoiced of that period, there is nothing to compare with: only what is
    surprising by itself is told.
    """
    first, last = before(run.period_from, run.period_to)
    invoiced = Invoice.objects.filter(period_to__range=(first, last)).exclude(number=None)
    if invoiced.exists():
        run.before_from, run.before_to = first, last
    rules = run_rules()
    limits = Limits(rules.change_percent, rules.change_from_fen)
    count, total = 0, 0
    copy = (
        "COPY billing_rundifference (run_id, position, tenant_id, gross_fen, before_fen,"
        " surprises, surprise_count) FROM STDIN"
    )
    with connection.cursor() as cursor:
        rows = _tenants(run)
        written: list[tuple[Any, ...]] = []
        for position, tenant in enumerate(rows, start=1):
            written.append(_row(run, position, tenant, limits))
            count += written[-1][-1]
            total += written[-1][4]
            if len(written) == _ROWS:
                _copy(cursor, copy, written)
        _copy(cursor, copy, written)
    run.surprises, run.before_fen = count, total
    run.save(update_fields=["before_from", "before_to", "before_fen", "surprises"])


def _copy(cursor: Any, sql: str, rows: list[tuple[Any, ...]]) -> None:
    with cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)
    rows.clear()


def _tenants(run: InvoiceRun) -> Iterator[_Tenant]:
    """Tenant by tenant through a cursor of the server."""
    params: dict[str, Any] = {
        "run": run.pk,
        "period_from": run.period_from,
        "before_from": run.before_from,
        "before_to": run.before_to,
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_FIGURES, params)
        rows = iter(lambda: cursor.fetchmany(_ROWS), [])
        flat = (row for chunk in rows for row in chunk)
        for (_, pk, kind, lacks), mine in groupby(flat, key=itemgetter(0, 1, 2, 3)):
            tenant = _Tenant(pk, lacks_uscc=lacks and "专用" in kind)
            for row in mine:
                tenant.add(*row[4:])
            yield tenant


def _row(run: InvoiceRun, position: int, tenant: _Tenant, limits: Limits) -> tuple[Any, ...]:
    now, was = tenant.figures("now"), tenant.figures("before")
    if run.before_from is None:
        was = now
    found = surprises(now, was, tenant.beside, limits=limits, lapsed=_lapsed(run))
    text = json.dumps([s.as_json() for s in found], ensure_ascii=False)
    gross = now.gross_fen if now else 0
    earlier = was.gross_fen if was and run.before_from else 0
    return run.pk, position, tenant.pk, gross, earlier, text, len(found)


def _lapsed(run: InvoiceRun) -> Lapsed:
    def lapsed(code: str) -> date | None:
        newest = PolicyRow.objects.filter(code=code).order_by("-version").first()
        return newest.valid_to if newest and newest.valid_to < run.period_from else None

    return lapsed
