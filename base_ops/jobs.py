"""Runs every app's periodic jobs: APScheduler is the clock, the database says what is due.

One process leads by a session advisory lock; others stand by. A JobSlot row per (job, slot) makes
each slot run once even while leadership moves. A job that fails is logged and tried in its next
slot; it never stops the others.
"""

import logging
import threading
from datetime import UTC, datetime, timedelta

import psycopg
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from django.conf import settings
from django.db import Error, close_old_connections, connection
from prometheus_client import Counter, Histogram

import billing.jobs
import booking.jobs
import devices.jobs
from base_ops.core import clock, idempotency
from base_ops.core.health import LEADER_JOB
from base_ops.core.jobs import Job
from base_ops.core.live import jobs as live_jobs
from base_ops.core.models import JobSlot
from base_ops.core.notifications import jobs as notices_jobs
from base_ops.demo import people

logger = logging.getLogger(__name__)

LEADER_LOCK = 0x6A6F6273  # "jobs"

SLOTS_KEPT = timedelta(days=2)
WATCH_S = 2.0

JOB_SECONDS = Histogram("base_ops_job_seconds", "Duration of one job run", ["job"])
JOB_FAILURES = Counter("base_ops_job_failures_total", "Job runs that raised", ["job"])


def forget_slots(now: datetime) -> int:
    """Delete slots older than two days; returns how many."""
    return JobSlot.objects.filter(slot__lt=now - SLOTS_KEPT).delete()[0]


def heartbeat(now: datetime) -> None:
    """Does nothing: the slot's own row shows that a leader is alive."""


JOBS: list[Job] = [
    Job(LEADER_JOB, 5, heartbeat),
    Job("core.forget_answers", 3600, idempotency.forget_old),
    Job("core.forget_slots", 3600, forget_slots),
    *live_jobs.JOBS,
    *notices_jobs.JOBS,
    *devices.jobs.JOBS,
    *billing.jobs.JOBS,
    *booking.jobs.JOBS,
    *(people.JOBS if settings.DEMO else []),
]


def run_slot(job: Job, now: datetime) -> bool:
    """Run one job for the slot that `now` lies in, unless that slot was already taken.

    Returns:
        Whether it ran here. A failure is logged, counted and kept in the slot's row.
    """
    slot = datetime.fromtimestamp(now.timestamp() // job.every_s * job.every_s, UTC)
    row = _take(job, slot, now)
    if row is None:
        return False
    error = ""
    try:
        with JOB_SECONDS.labels(job.name).time():
            job.run(now)
    except Exception as exc:  # a job's outermost loop: the next slot tries again
        JOB_FAILURES.labels(job.name).inc()
        logger.exception("job.failed", extra={"job": job.name})
        error = f"{type(exc).__name__}: {exc}"[:500]
    JobSlot.objects.filter(pk=row).update(finished_at=clock.now(), error=error)
    return True


def _take(job: Job, slot: datetime, now: datetime) -> int | None:
    """Insert the slot's row; None when somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_jobslot (job, slot, started_at, error) VALUES (%s, %s, %s, '')"
            " ON CONFLICT ON CONSTRAINT jobslot_once DO NOTHING RETURNING id",
            [job.name, slot, now],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


class Leadership:
    """The session advisory lock that one process holds; lost with its connection."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def hold(self) -> bool:
        """Whether this process leads now; takes the lock when it is free."""
        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return True
            return self._try_lock()
        except psycopg.Error as exc:
            logger.warning("jobs.database_away", extra={"reason": str(exc)})
            self.release()
            return False

    def _try_lock(self) -> bool:
        params = connection.get_connection_params()
        params.pop("cursor_factory", None)
        params.pop("context", None)
        session = psycopg.connect(**params, autocommit=True)
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
        if row is not None and row[0]:
            self._connection = session
            logger.info("jobs.leading")
            return True
        session.close()
        return False

    def release(self) -> None:
        """Give the lock up by closing its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def tick(job: Job) -> None:
    """One beat of the clock for one job, in a worker thread; survives a database restart."""
    try:
        close_old_connections()
        run_slot(job, clock.now())
    except Error as exc:
        logger.warning("job.database_away", extra={"job": job.name, "reason": str(exc)[:200]})
        connection.close()


def run(stop: threading.Event, jobs: list[Job] | None = None) -> None:
    """Lead when possible and run jobs until `stop` is set."""
    leadership = Leadership()
    scheduler: BackgroundScheduler | None = None
    try:
        while not stop.is_set():
            leads = leadership.hold()
            if leads and scheduler is None:
                scheduler = _started(JOBS if jobs is None else jobs)
            elif not leads and scheduler is not None:
                scheduler.shutdown(wait=False)
                scheduler = None
            stop.wait(WATCH_S)
    finally:
        if scheduler is not None:
            scheduler.shutdown(wait=True)
        leadership.release()


def _started(jobs: list[Job]) -> BackgroundScheduler:
    """A running clock with one beat per job, never two of one job at a time."""
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(4)}, timezone=UTC)
    for job in jobs:
        scheduler.add_job(
            tick,
            IntervalTrigger(seconds=job.every_s),
            args=[job],
            id=job.name,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    return scheduler
