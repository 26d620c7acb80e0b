"""How a run differs from the period before, as it was kept when it was previewed."""

from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing.models import InvoiceRun, RunDifference

_COUNTED = """
SELECT s->>'code', count(*) FROM billing_rundifference d, jsonb_array_elements(d.surprises) s
 WHERE d.run_id = %s GROUP BY 1
"""


def differences(run: InvoiceRun, *, surprising: bool | None = None) -> QuerySet[RunDifference]:
    """Tenant by tenant; only those with surprises, only those without, or all."""
    rows = RunDifference.objects.filter(run=run).select_related("tenant")
    if surprising is None:
        return rows
    return rows.filter(surprise_count__gt=0) if surprising else rows.filter(surprise_count=0)


def totals(run: InvoiceRun) -> dict[str, Any]:
    """How many tenants there are, how many surprise, and by what."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, [run.pk])
        by_code = Counter(dict(cursor.fetchall()))
    return {
        "tenants": differences(run).count(),
        "surprising": differences(run, surprising=True).count(),
        "by_code": dict(sorted(by_code.items())),
    }
