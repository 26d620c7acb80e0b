"""Maintenance windows: a space or some devices are out of service for a while, and come back.

A window that begins takes its devices out of service, those of a show after the show. At its end
it gives back what it took, unless somebody has decided otherwise meanwhile.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from base_ops.core import audit
from base_ops.core.actors import SYSTEM, Actor
from base_ops.core.errors import Conflict, FieldFault, Invalid, NotFound
from base_ops.core.models import Space
from devices.domain.lifecycle import Deed, Stage
from devices.models import Device, MaintenanceWindow, WindowStay
from devices.services import announce, living

logger = logging.getLogger(__name__)
LONGEST = timedelta(days=31)
MAX_DEVICES = 200


class NoSuchWindow(NotFound):
    """Unknown id."""

    code, title_zh, title_en = "no_such_window", "没有此维护窗口", "No such maintenance window"


class BadWindow(Invalid):
    """It is over, too long, or names neither a space nor devices, or both."""

    code, title_zh, title_en = "bad_window", "维护窗口无效", "Not a valid maintenance window"


class WindowOver(Conflict):
    """It has ended or was cancelled."""

    code, title_zh, title_en = "window_over", "维护窗口已结束", "The window is over"


@dataclass(frozen=True, slots=True)
class WindowWish:
    """What is to be out of service, when and why."""

    starts_at: datetime
    ends_at: datetime
    why: str
    space: Space | None = None
    devices: Sequence[Device] = ()


def open_window(*, wish: WindowWish, actor: Actor, now: datetime) -> MaintenanceWindow:
    """Plan a window.

    Raises:
        BadWindow.
    """
    _check_times(wish.starts_at, wish.ends_at, now)
    if (wish.space is None) == (not wish.devices) or len(wish.devices) > MAX_DEVICES:
        raise BadWindow(
            fields=[_fault("space", "须指定一个空间或若干设备", "either a space, or devices")]
        )
    with transaction.atomic():
        row = MaintenanceWindow.objects.create(
            space=wish.space,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            why=wish.why,
            created_by=actor.label,
            created_at=now,
        )
        row.devices.set(wish.devices)
        _record(row, "window.open", actor, now)
    return row


def move_window(
    *,
    window_id: int,
    starts_at: datetime,
    ends_at: datetime,
    why: str,
    actor: Actor,
    check: Callable[[int], None],
    now: datetime,
) -> MaintenanceWindow:
    """Give a window other times, or another reason.

    Raises:
        NoSuchWindow, WindowOver, BadWindow; and what `check` raises of its version.
    """
    with transaction.atomic():
        row = _locked(window_id, now)
        check(row.version)
        _check_times(starts_at, ends_at, now)
        row.starts_at, row.ends_at, row.why = starts_at, ends_at, why
        row.version += 1
        row.save()
        _record(row, "window.move", actor, now)
    return row


def cancel_window(*, window_id: int, actor: Actor, now: datetime) -> MaintenanceWindow:
    """End a window now, or before it begins; what it took comes back with the next look.

    Raises:
        NoSuchWindow, WindowOver.
    """
    with transaction.atomic():
        row = _locked(window_id, now)
        row.cancelled_at, row.version = now, row.version + 1
        row.save()
        _record(row, "window.cancel", actor, now)
    return row


def keep_windows(now: datetime) -> int:
    """Take out of service what windows claim, give back what they no longer do."""
    due = MaintenanceWindow.objects.filter(starts_at__lte=now, ended_at=None).order_by("pk")
    return sum(_keep(pk, now) for pk in due.values_list("pk", flat=True))


def _keep(window_id: int, now: datetime) -> int:
    with transaction.atomic():
        rows = MaintenanceWindow.objects.select_for_update(skip_locked=True, of=("self",))
        row = rows.filter(pk=window_id, ended_at=None).first()
        if row is None:
            return 0
        changes = announce.Changes()
        over = row.cancelled_at is not None or row.ends_at <= now
        moved = _give_back(row, changes, now) if over else _take(row, changes, now)
        if over:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
        announce.tell(changes, now=now)
    return moved


def _take(row: MaintenanceWindow, changes: announce.Changes, now: datetime) -> int:
    moved = 0
    for code in list(_claimed(row).values_list("code", flat=True)):
        device = living.locked(code)
        if device.status != Stage.ACTIVE:
            continue
        try:
            with transaction.atomic():
                living.step(
                    device, Deed.SERVICE, actor=SYSTEM, why=row.why, now=now, changes=changes
                )
        except living.DeviceOnAir:
            logger.info("window.waits", extra={"window": row.pk, "device": code})
            continue
        WindowStay.objects.update_or_create(window=row, device=device, defaults={"since": now})
        moved += 1
    return moved


def _claimed(row: MaintenanceWindow) -> QuerySet[Device]:
    wanted = Q(space=row.space) if row.space_id else Q(pk__in=row.devices.values("pk"))
    return Device.objects.filter(wanted, status=Stage.ACTIVE).order_by("code")


def _give_back(row: MaintenanceWindow, changes: announce.Changes, now: datetime) -> int:
    """Those that are as this window left them, unless another window goes on."""
    moved = 0
    for stay in row.stays.select_related("device").order_by("device__code"):
        device = living.locked(stay.device.code)
        last = device.life.first()
        untouched = last is not None and last.deed == Deed.SERVICE and last.at == stay.since
        if device.status == Stage.MAINTENANCE and untouched and device.space_id is not None:
            if (other := _other(row, device, now)) is not None:
                WindowStay.objects.get_or_create(
                    window=other, device=device, defaults={"since": stay.since}
                )
                continue
            living.step(device, Deed.RETURN, actor=SYSTEM, why=row.why, now=now, changes=changes)
            moved += 1
    return moved


def _other(row: MaintenanceWindow, device: Device, now: datetime) -> MaintenanceWindow | None:
    """Another window that claims the device now."""
    rows = MaintenanceWindow.objects.exclude(pk=row.pk).filter(
        Q(space_id=device.space_id) | Q(devices=device),
        starts_at__lte=now, ends_at__gt=now, cancelled_at=None, ended_at=None,
    )  # fmt: skip
    return rows.order_by("-ends_at").first()


def _locked(window_id: int, now: datetime) -> MaintenanceWindow:
    rows = MaintenanceWindow.objects.select_for_update(of=("self",)).select_related("space")
    row = rows.filter(pk=window_id).first()
    if row is None:
        raise NoSuchWindow(str(window_id))
    if row.ended_at is not None or row.cancelled_at is not None or row.ends_at <= now:
        raise WindowOver(f"it ended at {row.ends_at.isoformat()}")
    return row


def _check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise BadWindow(
            fields=[_fault("ends_at", "须为 31 天以内", "within 31 days of its start")]
        )
    if ends_at <= now:
        raise BadWindow(fields=[_fault("ends_at", "已过去", "is over already")])


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault(name, zh, en)


def _record(row: MaintenanceWindow, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_type="maintenance_window",
        object_code=str(row.pk),
        after={
            "space": row.space.code if row.space else None,
            "devices": sorted(row.devices.values_list("code", flat=True)),
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
            "why": row.why,
        },
        now=now,
    )
