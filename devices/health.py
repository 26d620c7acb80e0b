"""What /readyz and /metrics may know of the building."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count

from base_ops.core import health, metrics
from base_ops.core.health import Verdict
from devices.models import BridgeHeartbeat, Command

BRIDGE_SILENCE = timedelta(seconds=10)


def register() -> None:
    """Add the checks and gauges; called once, when the app is ready."""
    health.register_check("broker", broker)
    metrics.register_gauge(
        "base_ops_commands", "Commands by status", ["status"], commands_by_status
    )
    metrics.register_gauge(
        "base_ops_bridge_messages", "Messages by outcome, all bridges", ["outcome"], messages
    )
    metrics.register_gauge(
        "base_ops_bridge_refusals", "Refused messages, all bridges", ["reason"], refusals
    )


def broker(now: datetime) -> Verdict:
    """Whether a bridge lives and is connected to the broker, and how old its last message is."""
    row = BridgeHeartbeat.objects.order_by("-at").first()
    if row is None:
        return Verdict(ok=False, facts={"reason": "no bridge yet"})
    silent = now - row.at > BRIDGE_SILENCE
    last = row.last_processed_at
    return Verdict(
        ok=row.connected and not silent,
        facts={
            "bridge": row.id,
            "connected": row.connected and not silent,
            "heartbeat_age_s": round((now - row.at).total_seconds(), 1),
            "last_processed_age_s": round((now - last).total_seconds(), 1) if last else None,
        },
    )


def commands_by_status() -> Iterable[tuple[dict[str, str], float]]:
    """How many commands are in each status."""
    for row in Command.objects.values("status").annotate(n=Count("id")):
        yield {"status": row["status"]}, row["n"]


def refusals() -> Iterable[tuple[dict[str, str], float]]:
    """Refused messages by reason."""
    total: Counter[str] = Counter()
    for reasons in BridgeHeartbeat.objects.values_list("reasons", flat=True):
        total.update(reasons)
    for reason, count in total.items():
        yield {"reason": reason}, count


def messages() -> Iterable[tuple[dict[str, str], float]]:
    """Processed and refused messages."""
    rows = list(BridgeHeartbeat.objects.values("processed", "refused"))
    yield {"outcome": "processed"}, sum(row["processed"] for row in rows)
    yield {"outcome": "refused"}, sum(row["refused"] for row in rows)
