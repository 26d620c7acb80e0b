"""What the bridge counts. Labels come from closed sets."""

import threading
from collections import Counter as Counts
from datetime import datetime

from prometheus_client import Counter, Gauge

from devices.domain.codec import Reason

PROCESSED = Counter("base_ops_bridge_processed", "Messages committed to the database")
REFUSED = Counter("base_ops_bridge_refused", "Messages refused", ["reason"])
DROPPED = Counter("base_ops_bridge_dropped", "QoS 0 messages dropped from a full queue")
PUBLISHED = Counter("base_ops_bridge_published", "Commands that the broker took")
CONNECTED = Gauge("base_ops_bridge_connected", "1 while connected to the broker")
FOREIGN = Gauge("base_ops_bridge_foreign", "1 while this bridge speaks with foreign devices")
QUEUED = Gauge("base_ops_bridge_queued", "Messages received and not yet committed")

POISON = "poison"  # well-formed, but the database did not take it


class Tally:
    """Counters of this process, read by the heartbeat from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.processed = 0
        self.refused: Counts[str] = Counts()
        self.last_processed_at: datetime | None = None

    def refuse(self, reason: Reason | str) -> None:
        """Count a refusal."""
        REFUSED.labels(reason).inc()
        with self._lock:
            self.refused[reason] += 1

    def process(self, count: int, now: datetime) -> None:
        """Count what was committed."""
        PROCESSED.inc(count)
        with self._lock:
            self.processed += count
            self.last_processed_at = now

    @property
    def reasons(self) -> dict[str, int]:
        """Refusals by reason."""
        with self._lock:
            return dict(self.refused)

    @property
    def refusals(self) -> int:
        """All refusals."""
        with self._lock:
            return self.refused.total()
