"""Reminds of documents by the steps of the plan, each step once, the latest that is reached."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from base_ops.core import audit, notifications
from base_ops.core.actors import Actor
from base_ops.core.errors import PreconditionFailed
from billing.domain import dunning
from billing.domain.dunning import Plan, Step
from billing.domain.texts import local_day
from billing.models import DunningPlan, OpenItem, Payment, Reminder

BATCH = 500
_LONGEST = timedelta(days=60)


def current() -> tuple[int, Mapping[str, Any]]:
    """Version and document of the plan in force; version 0 is the standard one."""
    row = DunningPlan.objects.first()
    return (row.version, row.document) if row else (0, dunning.STANDARD)


def plan() -> Plan:
    """The plan in force."""
    return dunning.read(current()[1])


def publish(*, document: Mapping[str, Any], seen: int, actor: Actor, now: datetime) -> DunningPlan:
    """Put another plan in force, made from version `seen`.

    Raises:
        dunning.BadDunning: naming every fault.
        PreconditionFailed: somebody else published meanwhile.
    """
    dunning.read(document)
    with transaction.atomic():
        rows, made = DunningPlan.objects, DunningPlan(
            version=seen + 1, document=document, created_by=actor.label, created_at=now
        )  # fmt: skip
        rows.bulk_create([made], ignore_conflicts=True)
        kept = rows.get(version=seen + 1)
        if (kept.created_at, kept.created_by) != (now, actor.label):
            raise PreconditionFailed(f"version {seen + 1} is published")
        audit.record(
            actor=actor, action="dunning.publish", object_type="dunning_plan",
            object_code=str(kept), after={"document": document}, now=now,
        )  # fmt: skip
    return kept


def remind(now: datetime) -> int:
    """Tell tenants of documents that reached a step; returns how many notices.

    Who has money with the base for all that is overdue is not reminded. Of several steps reached
    at once only the last is told.
    """
    today, steps = local_day(now), plan()
    soonest = today - timedelta(days=steps.steps[0].days)
    told = 0
    with transaction.atomic():
        rows = OpenItem.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        rows = rows.filter(gross_fen__gt=F("settled_fen"), due_on__lte=soonest)
        items = list(rows.select_related("invoice"))
        latest = _latest(items)
        covered = _covered({item.tenant_id for item in items})
        for item in items:
            days = (today - item.due_on).days
            step = steps.step(days)
            if step is None or latest.get(item.pk, -_LONGEST.days - 1) >= step.days:
                continue
            if covered[item.tenant_id] >= item.open_fen:
                covered[item.tenant_id] -= item.open_fen
                continue
            _tell(item, step, days, now)
            told += 1
    return told


def _latest(items: list[OpenItem]) -> dict[int, int]:
    """The days of the last reminder, by document."""
    rows = Reminder.objects.filter(item__in=[item.pk for item in items]).order_by("days")
    return dict(rows.values_list("item_id", "days"))


def _covered(tenants: set[int]) -> dict[int, int]:
    """Money that waits to be allocated, by tenant."""
    left = F("amount_fen") - F("allocated_fen") - F("moved_fen") - F("refunded_fen")
    rows = Payment.objects.filter(tenant__in=tenants, voided_at=None).order_by()
    found = rows.values("tenant").annotate(n=Sum(left)).values_list("tenant", "n")
    return defaultdict(int, found)


def _tell(item: OpenItem, step: Step, days: int, now: datetime) -> None:
    Reminder.objects.create(
        item=item, step=step.code, days=step.days, open_fen=item.open_fen, sent_at=now
    )
    params = {
        "invoice": str(item.invoice.number), "open": item.open_fen, "due": item.due_on.isoformat()
    }  # fmt: skip
    notifications.tell(
        kind=f"billing.{step.tone}",
        audience=notifications.TenantPeople(item.tenant_id),
        params=params if step.tone == "coming" else params | {"days": days},
        dedup=f"dunning:{item.pk}:{step.code}",
        now=now,
    )
