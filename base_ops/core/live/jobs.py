"""Keeps the log of live deltas short."""

from datetime import datetime

from django.db import connection

from base_ops.core.jobs import Job

KEPT = 500


def prune(now: datetime) -> int:
    """Delete all but the last 500 deltas of each topic; returns how many went."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_livedelta d USING core_livetopic t"
            " WHERE t.name = d.topic AND d.seq <= t.seq - %s",
            [KEPT],
        )
        return int(cursor.rowcount)


JOBS = [Job("live.prune", 60, prune)]
