"""Runs the periodic jobs."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from base_ops import jobs


class Command(BaseCommand):
    """Wires the signals and hands over."""

    help = "Run the periodic jobs. Several may run: one leads, the others stand by."

    def handle(self, **_: Any) -> None:
        """Run until told to stop."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"jobs: {len(jobs.JOBS)} jobs")
        jobs.run(stop)
