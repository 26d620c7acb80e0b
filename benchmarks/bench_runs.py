"""Issuing an invoice run, against writing the same rows otherwise; and how a run grows.

200 tenants with 100 lines each: what `issue_next` takes (looked at again, drafts, lines, sums,
numbers, progress) beside bulk_create and beside COPY of the very rows it made, as drafts. The one
is handed ready instances, the other ready text, and no more is asked of them than the insert,
with the same triggers and indexes.
Growth: preview, approval and issue of n, 2n and 4n charges; BASE_OPS_BENCH_CHARGES is 4n.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import rig

TENANTS, LINES, ROUNDS, CHARGES = 200, 100, 3, 40_000
NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
MONTH = (date(2026, 11, 1), date(2026, 11, 30))
COPY_TARGET, GROWTH_TARGET, MEMORY_TARGET = 0.5, 5.2, 1.5
_TENANTS = """
INSERT INTO core_tenant SELECT (jsonb_populate_record(t, jsonb_build_object(
       'id', t.id + n, 'code', 'BENCH' || n))).*
  FROM core_tenant t, generate_series(1, %s) n WHERE t.id = %s
"""
_FACTS = """
INSERT INTO billing_usagefact (source, kind, tenant_id, payload, tariff_version, recorded_at)
SELECT 'bench/' || id, 'booking', id, '{}', 'x', %s FROM core_tenant WHERE code LIKE 'BENCH%%'
"""
_CHARGES = """
INSERT INTO billing_charge (source, fact_id, tenant_id, document, kind, booking_code, space_code,
       service_on, description_zh, description_en, band, surge, quantity, unit, price_text,
       gross_fen, net_fen, vat_fen, vat_rate, vat_category, policy, created_at)
SELECT f.source || '/' || n, f.id, f.tenant_id, 'invoice', 'room', 'BK' || n, 'S101',
       date '2026-11-01' + n %% 30, '单人直播间07 10:00-14:00 平时', 'Single studio 07',
       'standard', 1, '1×4h', '4h', '220.00/4h', 1060 + n, 1000 + n, 60, 0.06,
       'modern_service', '', %s
  FROM billing_usagefact f, generate_series(1, %s) n
"""


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_runs")


def measure() -> list[dict[str, Any]]:
    """The three ways in turns, then the growth."""
    rig.prepare()
    from billing.models import RunRules

    RunRules.objects.update_or_create(pk=1, defaults={"second_person_from_fen": 10**15})
    return [*_ways(), *_growth()]


def _ways() -> list[dict[str, Any]]:
    """Rows per second of ours, of bulk_create and of COPY."""
    tenants = rig.size(full=TENANTS, quick=10)
    _fill(tenants)
    ours: list[float] = []
    bulk: list[float] = []
    copy: list[float] = []
    for _ in range(ROUNDS):
        _emptied()
        run_id = _approved()
        ours.append(_timed(partial(_issued, run_id)))
        tables = _rows()
        texts = _text(tables)
        _emptied()
        bulk.append(_timed(partial(_bulk_created, tables)))
        _emptied()
        copy.append(_timed(partial(_copied, texts)))
    rate, of_bulk, of_copy = (tenants * LINES / median(times) for times in (ours, bulk, copy))
    what = f"issuing {tenants} documents of {LINES} lines, against"
    return [
        {
            "name": f"{what} bulk_create of the same rows",
            "ours": round(rate),
            "limit": round(of_bulk),
            "ratio": rig.ratio(rate, of_bulk),
            "unit": "lines/s",
            "target": "> 1",
            "kept": rate > of_bulk,
        },
        {
            "name": f"{what} COPY of the same rows",
            "ours": round(rate),
            "limit": round(of_copy),
            "ratio": rig.ratio(rate, of_copy),
            "unit": "lines/s",
            "target": f">= {COPY_TARGET}",
            "kept": rate >= COPY_TARGET * of_copy,
        },
    ]


def _growth() -> list[dict[str, Any]]:
    """Seconds and peak memory of whole runs; a fresh server process for each size."""
    from django.db import connection

    largest = int(os.environ.get("BASE_OPS_BENCH_CHARGES") or rig.size(full=CHARGES, quick=4000))
    sizes = [largest // 4, largest // 2, largest]
    seconds, memory = [], []
    for charges in sizes:
        _fill(max(charges // LINES, 1))
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [server] = cursor.fetchone()
        _forget_peak()
        seconds.append(_timed(lambda: _issued(_approved())))
        memory.append((_peak_mb("self"), _peak_mb(server)))
    steps = ", ".join(f"{n}: {s:.1f} s" for n, s in zip(sizes, seconds, strict=True))
    peaks = ", ".join(f"{own:.0f} + {server:.0f}" for own, server in memory)
    totals = [sum(pair) for pair in memory]
    return [
        {
            "name": f"a whole run of 4 times the charges ({steps})",
            "ours": round(seconds[-1], 2),
            "limit": round(seconds[0], 2),
            "ratio": rig.ratio(seconds[-1], seconds[0]),
            "unit": "s",
            "target": f"<= {GROWTH_TARGET}",
            "kept": seconds[-1] <= GROWTH_TARGET * seconds[0],
        },
        {
            "name": f"peak memory of the job + its server process ({peaks} MB)",
            "ours": round(totals[-1]),
            "limit": round(totals[0]),
            "ratio": rig.ratio(totals[-1], totals[0]),
            "unit": "MB",
            "target": f"<= {MEMORY_TARGET}",
            "kept": totals[-1] <= MEMORY_TARGET * totals[0],
        },
    ]


def _fill(tenants: int) -> None:
    """Only these tenants and their charges, in the database."""
    from django.db import connection

    from tests import make

    model = make.tenant().pk
    with _unguarded() as cursor:
        cursor.execute("TRUNCATE billing_charge, billing_usagefact, billing_invoicerun CASCADE")
        cursor.execute("DELETE FROM core_tenant WHERE code LIKE 'BENCH%'")
    with connection.cursor() as cursor:
        cursor.execute(_TENANTS, [tenants, model])
        cursor.execute("DELETE FROM core_tenant WHERE id = %s", [model])
        cursor.execute("SELECT setval(pg_get_serial_sequence('core_tenant', 'id'), max(id))"
                       " FROM core_tenant")  # fmt: skip
        cursor.execute(_FACTS, [NOW])
        cursor.execute(_CHARGES, [NOW, LINES])
        cursor.execute("ANALYZE")


@contextmanager
def _unguarded() -> Iterator[Any]:
    """A cursor under which no trigger fires: what is issued can be emptied."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor
        cursor.execute("SET session_replication_role = DEFAULT")


def _emptied() -> None:
    """No document, run or number."""
    with _unguarded() as cursor:
        cursor.execute(
            "TRUNCATE billing_invoice, billing_invoicerun, billing_numberseries CASCADE"
        )


def _approved() -> int:
    """A run of all charges, up to where its documents are asked for."""
    from base_ops.core.actors import SYSTEM
    from billing import services

    run = services.preview_run(
        period_from=MONTH[0], period_to=MONTH[1], actor=SYSTEM, now=NOW
    )  # fmt: skip
    services.approve_run(run_id=run.pk, actor=SYSTEM, now=NOW)
    return services.ask_issue(run_id=run.pk, actor=SYSTEM, now=NOW).pk


def _issued(run_id: int) -> None:
    from billing.services import runs

    while runs.issue_next(run_id=run_id, now=NOW) is not None:
        pass


def _rows() -> list[list[Any]]:
    """What was issued, as model instances: documents as the drafts they were, and lines."""
    from billing.models import Invoice, InvoiceLine

    documents = list(Invoice.objects.order_by("id"))
    for document in documents:
        document.status, document.number = "draft", None
    return [documents, list(InvoiceLine.objects.order_by("id"))]


def _bulk_created(tables: list[list[Any]]) -> None:
    from django.db import transaction

    with transaction.atomic():
        for rows in tables:
            type(rows[0]).objects.bulk_create(rows, batch_size=500)


def _text(tables: list[list[Any]]) -> list[tuple[str, bytes]]:
    """The same rows as the text that COPY reads, by its statement; drafts as in `_rows`."""
    from django.db import connection

    found = []
    with connection.cursor() as cursor:
        for rows in tables:
            meta = type(rows[0])._meta  # noqa: SLF001 - Django's documented name
            columns = [field.column for field in meta.concrete_fields]
            drafts = {"status": "'draft'", "number": "NULL"}
            values = ", ".join(drafts.get(column, column) for column in columns)
            sql = f"COPY (SELECT {values} FROM {meta.db_table} ORDER BY id) TO STDOUT"  # noqa: S608
            with cursor.copy(sql) as copy:
                text = b"".join(bytes(block) for block in copy)
            found.append((f"COPY {meta.db_table} ({', '.join(columns)}) FROM STDIN", text))
    return found


def _copied(tables: list[tuple[str, bytes]]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for sql, text in tables:
            with cursor.copy(sql) as copy:
                copy.write(text)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _forget_peak() -> None:
    """From here on the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb(process: int | str) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    line = next(text for text in status.splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201
