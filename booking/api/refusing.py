"""Every answer that refuses by rules is counted, in a transaction of its own."""

import json
import logging
from collections.abc import Callable
from typing import Any, cast

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from prometheus_client import Counter

from base_ops.core import clock
from base_ops.core.problems import domain_error
from booking import services
from booking.domain.rules import RulesBroken

logger = logging.getLogger(__name__)
NOT_COUNTED = Counter(
    "base_ops_refusals_not_counted_total", "Refusals by rule that could not be counted"
)


def install(api: NinjaAPI) -> None:
    """Count on every endpoint; by now whatever the request wrote has been rolled back."""
    handler = cast("Callable[[HttpRequest, Any], HttpResponse]", rules_broken)
    api.add_exception_handler(RulesBroken, handler)


def rules_broken(request: HttpRequest, exc: RulesBroken) -> HttpResponse:
    """The same answer as ever; that it could not be counted is logged and changes nothing."""
    answer = domain_error(request, exc)
    space, booking = _subject(request)
    try:
        with transaction.atomic():
            services.count_refusal(
                rules=_rules_of(exc), space=space, booking=booking, now=clock.now()
            )
    except DatabaseError as failed:
        NOT_COUNTED.inc()
        logger.warning("refusal.not_counted", exc_info=failed)
    return answer


def _rules_of(exc: RulesBroken) -> set[str]:
    broken: Any = exc.context.get("broken", [])
    return {str(b["rule"]) for b in broken} or {exc.code}


def _subject(request: HttpRequest) -> tuple[str, str]:
    """The space that the request names, or the booking in its address."""
    match = request.resolver_match
    booking = str(match.kwargs.get("code", "")) if match else ""
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = {}
    space = body.get("space") if isinstance(body, dict) else None
    return (space if isinstance(space, str) else ""), booking
