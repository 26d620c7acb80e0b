"""Numbers without gaps: the counter's row is locked from drawing to commit."""

from django.db.models import F

from billing.models import NumberSeries

SERIES = {"invoice": "PYB", "credit_note": "PYC"}


def draw(*, document: str, year: int) -> str:
    """The next number, e.g. PYB-2026-000001; a rollback gives it back.

    Draw last in a short transaction: until its end, nobody else can draw of this series.
    """
    series = SERIES[document]
    rows = NumberSeries.objects.filter(series=series, year=year)
    if not rows.update(last=F("last") + 1):
        NumberSeries.objects.bulk_create(
            [NumberSeries(series=series, year=year, last=0)], ignore_conflicts=True
        )
        rows.update(last=F("last") + 1)
    return f"{series}-{year}-{rows.get().last:06d}"
