"""Numbers without gaps: the counter's row is locked from drawing to commit."""

from django.db import connection

SERIES = {"invoice": "PYB", "credit_note": "PYC"}
# One statement makes the counter, waits for its lock and counts on.
_DRAW = """
INSERT INTO billing_numberseries AS s (series, year, last) VALUES (%s, %s, %s)
ON CONFLICT (series, year) DO UPDATE SET last = s.last + excluded.last
RETURNING s.last
"""


def draw(*, document: str, year: int) -> str:
    """The next number, e.g. PYB-2026-000001; a rollback gives it back.

    Draw last in a short transaction: until its end, nobody else can draw of this series.
    """
    return draw_many(document=document, year=year, count=1)[0]


def draw_many(*, document: str, year: int, count: int) -> list[str]:
    """The next numbers in a row; none when `count` is 0."""
    if not count:
        return []
    series = SERIES[document]
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, [series, year, count])
        last = cursor.fetchone()[0]
    return [f"{series}-{year}-{n:06d}" for n in range(last - count + 1, last + 1)]
