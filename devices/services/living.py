"""Devices change their stage by one table of transitions; each step is on record, with why."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, NotFound
from devices import selectors
from devices.domain import lifecycle
from devices.domain import shadow as shadows
from devices.domain.alarms import Code
from devices.domain.lifecycle import Deed, Stage
from devices.domain.shadow import Link
from devices.models import Adoption, Device, LifeEvent, Place
from devices.models.lifecycle import AdoptionStatus
from devices.services import alarming, announce, placing

logger = logging.getLogger(__name__)
SHOW_KINDS = frozenset(
    {"light", "camera", "encoder", "switcher", "audio", "prompter", "power_outlet"}
)


class UnknownDevice(NotFound):
    """No device has this code."""

    code, title_zh, title_en = "no_such_device", "没有此设备", "No such device"


class DeviceOnAir(Conflict):
    """A show in the room uses it, and it works; wait for the end of the show."""

    code, title_zh, title_en = "device_on_air", "直播中,设备正在使用", "In use by a show on air"


Check = Callable[[int], None]


def locked(code: str) -> Device:
    """The device of that code, locked with its model and space loaded.

    Raises:
        UnknownDevice: there is none.
    """
    rows = Device.objects.select_for_update(of=("self",)).select_related("model", "space")
    device = rows.filter(code=code).first()
    if device is None:
        raise UnknownDevice(code[:64])
    return device


def change_stage(
    *, code: str, deed: Deed, actor: Actor, why: str, check: Check, now: datetime
) -> Device:
    """Do a deed that needs nothing but a reason: reject, service, return, retire, readmit.

    Args:
        code: the device's.
        deed: what is done.
        actor: who.
        why: for the record.
        check: called with the device's version, under lock; may raise.
        now: when.

    Raises:
        UnknownDevice, lifecycle.NotPossible, DeviceOnAir; and what `check` raises.
    """
    with transaction.atomic():
        device = locked(code)
        check(device.version)
        changes = announce.Changes()
        step(device, deed, actor=actor, why=why, now=now, changes=changes)
        announce.tell(changes, now=now)
    return device


def edit(
    *, code: str, serial: str, note: str, actor: Actor, check: Check, now: datetime
) -> Device:
    """Correct what people write about a device.

    Raises:
        UnknownDevice; and what `check` raises of its version.
    """
    with transaction.atomic():
        device = locked(code)
        check(device.version)
        before = {"serial": device.serial, "note": device.note}
        device.serial, device.note, device.version = serial, note, device.version + 1
        device.save()
        audit.record(
            actor=actor,
            action="device.correct",
            object_type="device",
            object_code=device.code,
            before=before,
            after={"serial": serial, "note": note},
            now=now,
        )
    return device


def step(
    device: Device,
    deed: Deed,
    *,
    actor: Actor,
    why: str,
    now: datetime,
    changes: announce.Changes,
    place: Place | None = None,
) -> LifeEvent:
    """Take a locked device one step further, with all that follows from it; saves it.

    Raises:
        lifecycle.NotPossible, DeviceOnAir.
    """
    was = Stage(device.status)
    became = lifecycle.after(was, deed)
    if was is Stage.ACTIVE:
        _leave_service(device, now=now, changes=changes)
    hung = placing.mounting_of(device)
    if became in (Stage.RETIRED, Stage.QUARANTINE):
        if hung is not None:
            placing.take_down(hung, now=now)
        forget_place(device, changes)
    if deed is Deed.READMIT:
        device.heard_at = now
    elif was is Stage.QUARANTINE:
        _close_proposals(device, deed, actor=actor, why=why, now=now)
    device.status, device.version = str(became), device.version + 1
    device.save()
    shown_at = place or (hung.place if hung else None)
    event = _record(device, deed, was, became, actor=actor, why=why, now=now, place=shown_at)
    changes.device_ids.add(device.pk)
    if device.space_id is not None:
        changes.space_ids.add(device.space_id)
    note(changes, device.code, became, now)
    logger.info("device.moved", extra={"device": device.code, "deed": deed, "became": became})
    return event


def note(changes: announce.Changes, code: str, stage: str, now: datetime) -> None:
    """Tell whoever watches the registry: the counts, and the device that changed last."""
    counts = selectors.waiting_counts()
    changes.registry |= {
        "waiting": {"count": counts["waiting"], "at": now.isoformat()},
        "proposed": {"count": counts["proposed"], "at": now.isoformat()},
        "changed": {"device": code, "status": str(stage), "at": now.isoformat()},
    }


def _leave_service(device: Device, *, now: datetime, changes: announce.Changes) -> None:
    """A device that works is not taken from a show; one that leaves has no alarms any more.

    Raises:
        DeviceOnAir.
    """
    check_off_air(device, now=now)
    alarming.clear([device.pk], list(Code), now=now, changes=changes)


def check_off_air(device: Device, *, now: datetime) -> None:
    """Refuse to take a working device of a show.

    Raises:
        DeviceOnAir.
    """
    if device.space_id is None or device.kind not in SHOW_KINDS:
        return
    shadow = getattr(device, "shadow", None)
    if shadow is None:
        return
    works = shadows.link_at(Link(shadow.link), shadow.last_seen_at, now) is Link.ONLINE
    if works and device.space_id in selectors.on_air_of([device.space_id], now=now):
        raise DeviceOnAir(f"{device.code} serves a show")


def forget_place(device: Device, changes: announce.Changes) -> None:
    """It belongs to no room any more; not saved."""
    if device.space is not None:
        changes.gone.setdefault(device.space.code, set()).add(device.code)
        changes.space_ids.add(device.space.pk)
    device.space, device.role = None, ""


def _close_proposals(device: Device, deed: Deed, *, actor: Actor, why: str, now: datetime) -> None:
    """A stranger that came in or was rejected has no open proposal any more."""
    end = AdoptionStatus.APPROVED if deed is Deed.ADOPT else AdoptionStatus.REFUSED
    Adoption.objects.filter(device=device, status=AdoptionStatus.PROPOSED).update(
        status=end, decided_by=actor.label, decided_at=now, decided_why=why
    )


def _record(
    device: Device,
    deed: Deed,
    was: Stage,
    became: Stage,
    *,
    actor: Actor,
    why: str,
    now: datetime,
    place: Place | None,
) -> LifeEvent:
    audit.record(
        actor=actor,
        action=f"device.{deed}",
        object_type="device",
        object_code=device.code,
        before={"status": str(was)},
        after={"status": str(became), "place": place.code if place else None, "why": why},
        now=now,
    )
    return LifeEvent.objects.create(
        device=device,
        at=now,
        deed=deed,
        was=was,
        became=became,
        place=place,
        why=why,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        actor_role=actor.role,
        actor_tenant_id=actor.tenant_id,
    )
