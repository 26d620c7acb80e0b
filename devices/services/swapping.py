"""A spare takes the place of a broken unit; the place, its bookings and scenes stay."""

from datetime import datetime

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, NotFound
from devices.domain.lifecycle import Deed, Stage
from devices.models import Device, Mounting, Place, Shadow
from devices.services import announce, living, placing

FATES = (Deed.SERVICE, Deed.RETIRE)


class NoSuchPlace(NotFound):
    """No place has this code."""

    code, title_zh, title_en = "no_such_place", "没有此位置", "No such place"


class SpareUnfit(Conflict):
    """It is of another kind, not adopted, retired, or hangs there already."""

    code, title_zh, title_en = "spare_unfit", "备件不适用", "The spare does not fit"


def swap(
    *, place_code: str, spare_code: str, fate: Deed, actor: Actor, why: str, now: datetime
) -> Mounting:
    """Hang a spare where a broken unit hangs, or where nothing does any more.

    Args:
        place_code: where.
        spare_code: a device of the same kind, in store or hanging elsewhere.
        fate: what becomes of the broken one: service (to the bench) or retire.
        actor: who.
        why: for the record.
        now: when.

    Raises:
        NoSuchPlace, SpareUnfit, living.UnknownDevice, living.DeviceOnAir.
    """
    with transaction.atomic():
        place = _place(place_code)
        held = place.mountings.select_related("device").filter(until=None).first()
        broken, spare = _both(held, spare_code)
        _check_fits(spare, place, held)
        changes = announce.Changes()
        wish = None
        if broken is not None:
            wish = _take_out(broken, fate, actor=actor, why=why, now=now, changes=changes)
        mounting = _put_in(spare, place, wish, actor=actor, why=why, now=now, changes=changes)
        audit.record(
            actor=actor,
            action="place.swap",
            object_type="place",
            object_code=place.code,
            before={"device": broken.code if broken else None},
            after={"device": spare.code, "fate": str(fate), "why": why},
            now=now,
        )
        announce.tell(changes, now=now)
    return mounting


def _place(code: str) -> Place:
    rows = Place.objects.select_for_update(of=("self",)).select_related("space")
    place = rows.filter(code=code).first()
    if place is None:
        raise NoSuchPlace(code[:64])
    return place


def _both(held: Mounting | None, spare_code: str) -> tuple[Device | None, Device]:
    """The broken unit and the spare, locked in order of their codes so that rivals queue up."""
    codes = {spare_code} | ({held.device.code} if held else set())
    rows = {code: living.locked(code) for code in sorted(codes)}
    return (rows[held.device.code] if held else None), rows[spare_code]


def _check_fits(spare: Device, place: Place, held: Mounting | None) -> None:
    kind = spare.model.kind if spare.model else ""
    if kind != place.kind:
        raise SpareUnfit(f"{spare.code} is no {place.kind}")
    if spare.status not in (Stage.ACTIVE, Stage.MAINTENANCE):
        raise SpareUnfit(f"{spare.code} is in {spare.status}")
    if held is not None and held.device_id == spare.pk:
        raise SpareUnfit(f"{spare.code} hangs there already")


def _take_out(
    broken: Device,
    fate: Deed,
    *,
    actor: Actor,
    why: str,
    now: datetime,
    changes: announce.Changes,
) -> dict[str, object] | None:
    """Take the broken unit down; returns what was desired of it."""
    shadow = Shadow.objects.select_for_update().filter(device=broken).first()
    if not (fate is Deed.SERVICE and broken.status == Stage.MAINTENANCE):
        living.step(broken, fate, actor=actor, why=why, now=now, changes=changes)
    if (hung := placing.mounting_of(broken)) is not None:
        placing.take_down(hung, now=now)
    living.forget_place(broken, changes)
    broken.save()
    if shadow is None:
        return None
    wish, shadow.desired = shadow.desired, None
    shadow.save(update_fields=["desired"])
    return wish


def _put_in(
    spare: Device,
    place: Place,
    wish: dict[str, object] | None,
    *,
    actor: Actor,
    why: str,
    now: datetime,
    changes: announce.Changes,
) -> Mounting:
    living.check_off_air(spare, now=now)
    if (hung := placing.mounting_of(spare)) is not None:
        placing.take_down(hung, now=now)
    living.forget_place(spare, changes)
    mounting = placing.mount(spare, place, by=actor.label, why=why, now=now)
    if spare.status == Stage.MAINTENANCE:
        living.step(
            spare, Deed.RETURN, actor=actor, why=why, now=now, changes=changes, place=place
        )
    else:
        spare.version += 1
        spare.save()
    Shadow.objects.update_or_create(device=spare, defaults={"desired": wish})
    changes.device_ids.add(spare.pk)
    changes.space_ids.add(place.space_id)
    return mounting
