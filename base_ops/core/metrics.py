"""Prometheus metrics: of this process, and what the database knows of the others.

Labels come from closed sets: route templates, statuses, reasons; never ids, topics or free text.
"""

import ipaddress
import time
from collections.abc import Callable, Iterable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from base_ops.core import auth, errors
from base_ops.core.models import Role
from base_ops.core.problems import domain_error

REQUESTS = Counter(
    "base_ops_http_requests_total", "Answered requests", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "base_ops_http_request_seconds", "From first to last byte of our work", ["route"]
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Counts and times requests by route template; unknown addresses share one label."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request and note it."""
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None and response.status_code != 404 else "unknown"
        method = request.method if request.method in METHODS else "OTHER"
        REQUESTS.labels(method, route, response.status_code).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)
        return response


Gauges = Callable[[], Iterable[tuple[dict[str, str], float]]]


class _FromDatabase(Collector):
    """A gauge whose values are looked up whenever somebody asks; absent while the lookup fails."""

    def __init__(self, name: str, help_text: str, labels: list[str], values: Gauges) -> None:
        self._about = (name, help_text, labels)
        self._values = values

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        name, help_text, labels = self._about
        family = GaugeMetricFamily(name, help_text, labels=labels)
        try:
            for given, value in self._values():
                family.add_metric([given[label] for label in labels], value)
        except DatabaseError:
            return
        yield family

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []


def register_gauge(name: str, help_text: str, labels: list[str], values: Gauges) -> None:
    """Show `values()`, pairs of labels and number, as gauge `name`; once per process."""
    REGISTRY.register(_FromDatabase(name, help_text, labels, values))


def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics in Prometheus' text format, for this machine and for technical staff."""
    if not _is_local(request):
        user = auth.signed_in(request)
        if user is None:
            return domain_error(request, errors.Unauthenticated())
        if user.role not in {Role.ADMIN, Role.TECHNICIAN}:
            return domain_error(request, errors.Forbidden())
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    """Whether the caller is on this machine and no proxy stands between."""
    if "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
