"""Sends in threads of its own, so that no endpoint's slowness is anybody else's.

The job's thread claims, hands over, and writes down what came back; the threads that send never
touch the database. Each delivery has a thread as long as its attempt lasts, at most TOTAL_S of the
web or mail client. Mail has places of its own, and endpoints that failed share only some of the
others. Whatever dies with the process is claimed again when its lease ends: at least once.
"""

import logging
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from base_ops.core.models import Channel
from base_ops.core.notifications import claiming, meters, outcomes, packing, settling
from base_ops.core.notifications.outcomes import Outcome

logger = logging.getLogger(__name__)

WEB_PLACES, SUSPECT_PLACES, MAIL_PLACES = 32, 16, 4
BUDGET_S = 0.7
LINGER_S = 0.1


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt on its way."""

    delivery_id: int
    attempt: int
    channel: Channel
    suspect: bool


class Courier:
    """The attempts of one process. Used by one thread at a time."""

    def __init__(self) -> None:
        self._back: queue.SimpleQueue[tuple[Parcel, Outcome, float]] = queue.SimpleQueue()
        self._out: set[Parcel] = set()

    @property
    def on_their_way(self) -> int:
        """How many attempts are not written down yet."""
        return len(self._out)

    def run(self, now: datetime) -> int:
        """Send what is due, as long as that goes on quickly; returns how many attempts ended.

        Attempts that take longer end in a later call.
        """
        ends = time.monotonic() + BUDGET_S
        done = self._settle(0, now)
        while self._claim(now) and time.monotonic() < ends:
            done += self._settle(LINGER_S, now)
        return done + (self._settle(LINGER_S, now) if self._out else 0)

    def finish(self, now: datetime, *, timeout_s: float) -> bool:
        """Wait for what is on its way; whether all of it ended."""
        ends = time.monotonic() + timeout_s
        while self._out and time.monotonic() < ends:
            self._settle(LINGER_S, now)
        return not self._out

    def _claim(self, now: datetime) -> int:
        """Take what is due and start sending it; returns how many."""
        return sum(
            self._claim_of(endpoint, mail=mail, now=now)
            for mail in (True, False)
            for endpoint in claiming.endpoints_due(mail=mail, now=now)
        )

    def _claim_of(self, endpoint_id: int, *, mail: bool, now: datetime) -> int:
        free, free_suspect = self._room(mail=mail)
        if free <= 0:
            return 0
        found = claiming.claim(endpoint_id, most=free, most_suspect=free_suspect, now=now)
        for delivery in found:
            endpoint = delivery.endpoint
            parcel = Parcel(
                delivery.pk, delivery.attempts, Channel(endpoint.kind), endpoint.failures > 0
            )
            self._start(parcel, packing.packed(delivery, now=now))
        return len(found)

    def _room(self, *, mail: bool) -> tuple[int, int]:
        """(free places, of them for an endpoint that failed)."""
        taken = Counter(p.channel is Channel.EMAIL for p in self._out)
        if mail:
            return MAIL_PLACES - taken[True], MAIL_PLACES - taken[True]
        suspects = sum(p.suspect for p in self._out if p.channel is not Channel.EMAIL)
        free = WEB_PLACES - taken[False]
        return free, max(0, min(free, SUSPECT_PLACES - suspects))

    def _start(self, parcel: Parcel, send: packing.Send) -> None:
        self._out.add(parcel)
        threading.Thread(
            target=self._carry, args=[parcel, send], daemon=True, name="notifications-courier"
        ).start()

    def _carry(self, parcel: Parcel, send: packing.Send) -> None:
        started = time.monotonic()
        try:
            outcome = send()
        except Exception:  # a thread's outermost loop: the message is tried again
            logger.exception("notifications.attempt_crashed", extra={"channel": parcel.channel})
            outcome = outcomes.failed("internal")
        self._back.put((parcel, outcome, time.monotonic() - started))

    def _settle(self, wait_s: float, now: datetime) -> int:
        """Write down what came back, waiting for the first; returns how many."""
        count = 0
        while True:
            try:
                parcel, outcome, took_s = self._back.get(timeout=0 if count else wait_s)
            except queue.Empty:
                return count
            self._out.discard(parcel)
            meters.ATTEMPTS.labels(parcel.channel, outcome.result).inc()
            meters.SECONDS.labels(parcel.channel).observe(took_s)
            settling.settle(
                delivery_id=parcel.delivery_id, attempt=parcel.attempt, outcome=outcome, now=now
            )
            count += 1


_courier = Courier()


def deliver(now: datetime) -> int:
    """The job: one pass of this process's courier."""
    return _courier.run(now)
