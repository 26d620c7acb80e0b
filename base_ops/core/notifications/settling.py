"""Writes down what became of attempts, for the message and for its endpoint."""

import logging
import random
from datetime import datetime

from django.db import transaction

from base_ops.core.models import Delivery, DeliveryStatus, Endpoint
from base_ops.core.notifications import pacing
from base_ops.core.notifications.outcomes import Outcome, Result

logger = logging.getLogger(__name__)


def settle(*, delivery_id: int, attempt: int, outcome: Outcome, now: datetime) -> bool:
    """Record one attempt; False when somebody else has taken the delivery over meanwhile."""
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update(no_key=True).get(
            pk=Delivery.objects.values_list("endpoint_id").get(pk=delivery_id)[0]
        )
        row = Delivery.objects.select_for_update().get(pk=delivery_id)
        if row.status != DeliveryStatus.WAITING or row.attempts != attempt:
            return False
        _judge_endpoint(endpoint, outcome, now=now)
        _judge_delivery(row, outcome, now=now)
    if row.status == DeliveryStatus.DEAD:
        logger.warning(
            "notifications.dead",
            extra={"delivery": row.pk, "endpoint": endpoint.code, "error": row.error},
        )
    return True


def _judge_delivery(row: Delivery, outcome: Outcome, *, now: datetime) -> None:
    row.claimed_until, row.error = None, outcome.code
    match outcome.result:
        case Result.SENT:
            row.status, row.ended_at = DeliveryStatus.SENT, now
        case Result.REFUSED | Result.GONE:
            row.status, row.ended_at = DeliveryStatus.DEAD, now
        case Result.LIMITED:
            row.attempts -= 1
            row.due_at = now + (outcome.wait or pacing.FIRST_RETRY)
        case Result.RETRY if row.attempts >= pacing.MOST_ATTEMPTS:
            row.status, row.ended_at = DeliveryStatus.DEAD, now
        case Result.RETRY:
            pause = pacing.retry_after(row.attempts, dice=_dice())
            row.due_at = now + max(pause, outcome.wait or pause)
    row.save()


def _judge_endpoint(endpoint: Endpoint, outcome: Outcome, *, now: datetime) -> None:
    if outcome.result is Result.SENT:
        endpoint.failures, endpoint.open_until, endpoint.last_error = 0, None, ""
        endpoint.last_ok_at = now
    elif outcome.result is Result.LIMITED:
        endpoint.last_error = outcome.code
        endpoint.open_until = now + (outcome.wait or pacing.FIRST_RETRY)
    elif outcome.result is Result.GONE:
        endpoint.active, endpoint.inactive_reason = False, outcome.code
        endpoint.last_error = outcome.code
    elif outcome.at_fault:
        endpoint.failures += 1
        endpoint.last_error = outcome.code
        pause = pacing.open_for(endpoint.failures, dice=_dice())
        if pause is not None:
            endpoint.open_until = now + pause
            logger.warning(
                "notifications.endpoint_open",
                extra={"endpoint": endpoint.code, "error": outcome.code, "for": str(pause)},
            )
    else:
        return  # the message was refused; that the endpoint answers is no proof that it takes any
    endpoint.save(
        update_fields=[
            "failures", "open_until", "last_error", "last_ok_at", "active", "inactive_reason",
        ]
    )  # fmt: skip


def _dice() -> float:
    return random.random()  # noqa: S311 - jitter
