"""Counts refusals by rule, for the KPI report: no names, no requests, only how many."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection

ZONE = ZoneInfo("Asia/Shanghai")
PATIENCE_MS = 200

# In the order of the rules, so that two refusals at once wait for each other in one order only.
_COUNT = """
INSERT INTO booking_refusalcount (day, rule, space_type, count)
SELECT %(day)s, rule, coalesce((
           SELECT kind.code FROM core_space space
             JOIN core_spacetype kind ON kind.id = space.type_id
            WHERE space.code = %(space)s
               OR %(space)s = '' AND space.id = (
                   SELECT space_id FROM booking_booking WHERE code = %(booking)s)
            LIMIT 1), ''), 1
  FROM unnest(%(rules)s::text[]) AS rule ORDER BY rule
ON CONFLICT ON CONSTRAINT refusalcount_once
DO UPDATE SET count = booking_refusalcount.count + 1
"""


def count_refusal(
    *, rules: Collection[str], space: str = "", booking: str = "", now: datetime
) -> None:
    """Count each rule once for this day, and the type of the space if it is known by any name.

    Waits for nobody longer than a fifth of a second: a count is not worth an answer.

    Raises:
        DatabaseError: it could not be counted, or not in time.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS}")
        cursor.execute(
            _COUNT,
            {
                "day": now.astimezone(ZONE).date(),
                "rules": sorted(rule[:48] for rule in rules),
                "space": space,
                "booking": booking,
            },
        )
