"""Devices from a file: all rows or none, each with all that is wrong with it.

The dry run really writes, row after row, and then takes everything back: what it says of a row is
what the import will do. A row of a known device may correct its serial number, its role and the
note; where it hangs and what it is change by a swap or an adoption, not by a file.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from base_ops.core import audit, db
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, DomainError, FieldFault
from base_ops.core.models import Space
from devices import directory
from devices.domain.inventory import Entry, Row
from devices.models import Device, DeviceModel, Place, Shadow
from devices.models.registry import DeviceStatus
from devices.services import announce, living, placing

logger = logging.getLogger(__name__)


class InventoryRowState(StrEnum):
    """What became of a row, or would."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: what became of it, and why not."""

    number: int
    code: str
    state: InventoryRowState
    faults: Sequence[FieldFault] = ()


class InventoryRefused(Conflict):
    """Some rows cannot be taken in, so none was; `rows` says what is the matter with each."""

    code, title_zh, title_en = (
        "inventory_refused",
        "有行无法导入,未导入任何内容",
        "Some rows cannot be imported, nothing was",
    )

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes
        bad = sum(o.state is InventoryRowState.REFUSED for o in outcomes)
        super().__init__(f"{bad} of {len(outcomes)} rows cannot be imported")


def try_inventory(*, rows: Sequence[Row], actor: Actor, now: datetime) -> list[Outcome]:
    """What an import would do with each row; nothing remains of it."""

    def work() -> list[Outcome]:
        with transaction.atomic():
            point = transaction.savepoint()
            outcomes = _taken_in(rows, actor, announce.Changes(), now)
            transaction.savepoint_rollback(point)
        directory.forget()
        return outcomes

    return db.in_transaction(work)


def import_inventory(
    *, rows: Sequence[Row], file: str, actor: Actor, now: datetime
) -> list[Outcome]:
    """Take all rows in; `file` is what the record calls the file.

    Raises:
        InventoryRefused: any row cannot be; nothing was.
    """

    def work() -> list[Outcome]:
        with transaction.atomic():
            changes = announce.Changes()
            outcomes = _taken_in(rows, actor, changes, now)
            if any(o.state is InventoryRowState.REFUSED for o in outcomes):
                raise InventoryRefused(outcomes)
            counts = {str(s): sum(o.state is s for o in outcomes) for s in InventoryRowState}
            audit.record(
                actor=actor,
                action="inventory.import",
                object_type="inventory",
                object_code=file[:64],
                after=counts,
                now=now,
            )
            announce.tell(changes, now=now)
        directory.forget()
        logger.info("inventory.imported", extra=counts)
        return outcomes

    return db.in_transaction(work)


@dataclass(slots=True)
class _Known:
    """What the rows of a file may name."""

    models: Mapping[str, DeviceModel]
    spaces: Mapping[str, Space]
    seen: set[str] = field(default_factory=set)


def _taken_in(
    rows: Sequence[Row], actor: Actor, changes: announce.Changes, now: datetime
) -> list[Outcome]:
    entries = [row.entry for row in rows if row.entry is not None]
    known = _Known(
        DeviceModel.objects.in_bulk({e.model for e in entries if e.model}, field_name="code"),
        Space.objects.in_bulk({e.space for e in entries if e.space}, field_name="code"),
    )
    return [_outcome(row, known, actor, changes, now) for row in rows]


def _outcome(
    row: Row, known: _Known, actor: Actor, changes: announce.Changes, now: datetime
) -> Outcome:
    if row.entry is None:
        return Outcome(row.number, "", InventoryRowState.REFUSED, row.faults)
    entry = row.entry
    if entry.code in known.seen:
        return _refused(row.number, entry, _fault("code", "文件中重复", "appears twice"))
    known.seen.add(entry.code)
    try:
        with transaction.atomic():
            device = Device.objects.select_for_update().filter(code=entry.code).first()
            if device is None:
                _add(entry, known, actor, changes, now)
                return Outcome(row.number, entry.code, InventoryRowState.ADDED)
            changed = _change(device, entry, actor, now)
            state = InventoryRowState.CHANGED if changed else InventoryRowState.UNCHANGED
            return Outcome(row.number, entry.code, state)
    except _Unfit as exc:
        return _refused(row.number, entry, *exc.faults)
    except DomainError as exc:
        said = FieldFault("place", exc.title_zh, exc.title_en)
        return _refused(row.number, entry, *(exc.fields or [said]))


class _Unfit(Exception):
    """Names what a row has wrong; caught where its outcome is made."""

    def __init__(self, *faults: FieldFault) -> None:
        super().__init__("unfit")
        self.faults = faults


def _refused(number: int, entry: Entry, *faults: FieldFault) -> Outcome:
    return Outcome(number, entry.code, InventoryRowState.REFUSED, faults)


def _add(
    entry: Entry, known: _Known, actor: Actor, changes: announce.Changes, now: datetime
) -> None:
    """A new device: in service where it has a space, otherwise a spare in store."""
    faults = []
    model = known.models.get(entry.model or "")
    if model is None:
        faults.append(_fault("model", "没有此型号", "no such model"))
    space = known.spaces.get(entry.space or "")
    if space is None and entry.space:
        faults.append(_fault("space", "没有此空间", "no such space"))
    if entry.place and not entry.space:
        faults.append(_fault("space", "有位置须填空间", "a place needs its space"))
    if faults or model is None:
        raise _Unfit(*faults)
    device = Device(
        code=entry.code,
        model=model,
        kind=model.kind,
        status=DeviceStatus.MAINTENANCE if space is None else DeviceStatus.ACTIVE,
        space=space,
        role=entry.role or "",
        serial=entry.serial or "",
        note=entry.note or "",
    )
    device.save()
    Shadow.objects.create(device=device)
    if space is not None:
        _hang(device, space, entry, actor, now)
        changes.device_ids.add(device.pk)
        changes.space_ids.add(space.pk)
    living.note(changes, device.code, device.status, now)
    _record(device, "device.add", {}, actor, now)


def _hang(device: Device, space: Space, entry: Entry, actor: Actor, now: datetime) -> None:
    place = placing.place_named(
        code=entry.place or entry.code, space=space, kind=device.kind, role=device.role
    )
    placing.mount(device, place, by=actor.label, why="", now=now)
    device.save()


def _change(device: Device, entry: Entry, actor: Actor, now: datetime) -> bool:
    """Correct what a file may correct; returns whether anything changed."""
    faults = []
    if entry.model is not None and entry.model != (device.model.code if device.model else ""):
        faults.append(_fault("model", "与登记不符", "is not the registered one"))
    if entry.space is not None and entry.space != (device.space.code if device.space else ""):
        faults.append(_fault("space", "与登记不符,请用换装", "differs: swap it instead"))
    if entry.place is not None and entry.place != _place_code(device):
        faults.append(_fault("place", "与登记不符,请用换装", "differs: swap it instead"))
    if faults:
        raise _Unfit(*faults)
    wanted = {"role": entry.role, "serial": entry.serial, "note": entry.note}
    before = {name: getattr(device, name) for name in wanted}
    after = {n: v for n, v in wanted.items() if v is not None and v != before[n]}
    if not after:
        return False
    for name, value in after.items():
        setattr(device, name, value)
    device.version += 1
    device.save()
    Place.objects.filter(mountings__device=device, mountings__until=None).update(role=device.role)
    _record(device, "device.correct", {n: before[n] for n in after}, actor, now)
    return True


def _place_code(device: Device) -> str:
    mounting = placing.mounting_of(device)
    return mounting.place.code if mounting else ""


def _record(
    device: Device, action: str, before: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    names = ("role", "serial", "note")
    audit.record(
        actor=actor,
        action=action,
        object_type="device",
        object_code=device.code,
        before=before or None,
        after={name: getattr(device, name) for name in names}
        | {"model": device.model.code if device.model else None, "status": device.status},
        now=now,
    )


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault(name, zh, en)
