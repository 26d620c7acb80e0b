"""Forgets what is long past."""

from datetime import datetime, timedelta

from base_ops.core.models import Delivery, DeliveryStatus, Notice
from base_ops.core.notifications.claiming import MOST_AGE

KEPT = timedelta(days=90)
BATCH = 5_000


def forget_old(now: datetime) -> int:
    """Delete notices older than 90 days with all that hangs on them; returns how many.

    What still waits after three days, because its endpoint is switched off, ends here.
    """
    Delivery.objects.filter(status=DeliveryStatus.WAITING, created_at__lte=now - MOST_AGE).update(
        status=DeliveryStatus.EXPIRED, ended_at=now, claimed_until=None, error="too_late"
    )
    old = Notice.objects.filter(created_at__lt=now - KEPT)
    done = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        Notice.objects.filter(pk__in=ids).delete()
        done += len(ids)
    return done
