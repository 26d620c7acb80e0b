"""The periodic jobs of booking."""

from datetime import datetime

from base_ops.core.jobs import Job
from booking import occupancy, services


def prepare_due(now: datetime) -> None:
    """T-15: prepare rooms, then watch their ready lights."""
    services.run_prepare(now=now)
    services.record_ready(now=now)


def ends(now: datetime) -> None:
    """Around the end: warn, extend, note late rooms, complete, wrap, test; in this order."""
    services.warn_due(now=now)
    services.extend_due(now=now)
    services.note_late_rooms(now=now)
    services.end_due(now=now)
    services.wrap_up(now=now)
    services.test_handovers(now=now)


def releases(now: datetime) -> None:
    """Release what nobody uses: expired holds and no-shows."""
    services.expire_due(now=now)
    services.expire_waiting(now=now)
    services.release_no_shows(now=now)


def tick(now: datetime) -> None:
    """Show the changes that time alone causes."""
    occupancy.refresh_all(now=now)


def leases(now: datetime) -> None:
    """Charge each lease once a month, end those that are over, tell of those that soon will be."""
    services.charge_leases(now=now)
    services.end_leases(now=now)
    services.tell_ending(now=now)


JOBS = [
    Job(name="booking.prepare", every_s=5, run=prepare_due),
    Job(name="booking.ends", every_s=2, run=ends),
    Job(name="booking.releases", every_s=10, run=releases),
    Job(name="booking.occupancy", every_s=1, run=tick),
    Job(name="booking.leases", every_s=60, run=leases),
]
