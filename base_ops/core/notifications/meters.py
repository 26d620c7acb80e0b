"""What is counted about notifications; labels are channels, results and states only."""

from collections.abc import Iterable

from django.db.models import Count, Q
from prometheus_client import Counter, Histogram

from base_ops.core import clock, metrics
from base_ops.core.models import Delivery, DeliveryStatus, Endpoint, Notice

ATTEMPTS = Counter(
    "base_ops_notification_attempts_total",
    "Attempts to send, by what became",
    ["channel", "result"],
)
SECONDS = Histogram(
    "base_ops_notification_attempt_seconds", "Duration of one attempt to send", ["channel"]
)

Rows = Iterable[tuple[dict[str, str], float]]


def register() -> None:
    """Show what waits, what is dead, and which endpoints are left alone; once per process."""
    metrics.register_gauge(
        "base_ops_notification_deliveries",
        "Deliveries that wait or are dead",
        ["channel", "status"],
        _deliveries,
    )
    metrics.register_gauge(
        "base_ops_notification_endpoints_open",
        "Endpoints whose circuit breaker is open",
        ["channel"],
        _open,
    )
    metrics.register_gauge(
        "base_ops_notification_unfanned_seconds",
        "Age of the oldest notice that nobody was told yet",
        [],
        _oldest,
    )


def _deliveries() -> Rows:
    rows = (
        Delivery.objects.filter(status__in=(DeliveryStatus.WAITING, DeliveryStatus.DEAD))
        .values_list("endpoint__kind", "status")
        .annotate(n=Count("pk"))
    )
    return [({"channel": kind, "status": status}, n) for kind, status, n in rows]


def _open() -> Rows:
    still = Count("pk", filter=Q(open_until__gt=clock.now()))
    rows = Endpoint.objects.filter(active=True).values_list("kind").annotate(n=still)
    return [({"channel": kind}, n) for kind, n in rows]


def _oldest() -> Rows:
    first = (
        Notice.objects.filter(fanned_at__isnull=True)
        .order_by("pk")
        .values_list("created_at", flat=True)
        .first()
    )
    return [({}, (clock.now() - first).total_seconds() if first else 0.0)]
