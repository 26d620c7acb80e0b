"""Which device hangs where: mounted, taken down, and each place's history kept."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from base_ops.core.errors import Conflict
from base_ops.core.models import Space
from devices.models import Device, Mounting, Place
from devices.models.registry import DeviceStatus

EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before the base: for as long as we know


class PlaceTaken(Conflict):
    """Another device hangs there; swap it instead. `device` names it."""

    code, title_zh, title_en = "place_taken", "该位置已有设备", "Another device hangs there"


class PlaceElsewhere(Conflict):
    """The place is in another space, or meant for another kind of device."""

    code, title_zh, title_en = (
        "place_mismatch",
        "该位置属于其他空间或其他类型设备",
        "The place is in another space or for another kind",
    )


# A tag in a plan is a place, and at first the device that hangs there bears its name.
_PLACES = """
INSERT INTO devices_place (code, space_id, kind, role, name)
  SELECT d.code, d.space_id, d.kind, d.role, '' FROM devices_device d
   WHERE d.id = ANY(%(ids)s) AND d.space_id IS NOT NULL AND d.status = ANY(%(hanging)s)
     AND NOT EXISTS (SELECT 1 FROM devices_mounting m
                      WHERE m.device_id = d.id AND m.until IS NULL)
  ON CONFLICT (code) DO NOTHING
"""
_MOUNTINGS = """
INSERT INTO devices_mounting (place_id, device_id, since, "by", why)
  SELECT p.id, d.id, %(ever)s, '', '' FROM devices_device d JOIN devices_place p USING (code)
   WHERE d.id = ANY(%(ids)s) AND d.space_id = p.space_id AND d.status = ANY(%(hanging)s)
     AND NOT EXISTS (SELECT 1 FROM devices_mounting m
                      WHERE m.until IS NULL AND (m.device_id = d.id OR m.place_id = p.id))
     AND NOT EXISTS (SELECT 1 FROM devices_mounting m WHERE m.place_id = p.id)
"""
# The plan was corrected: the place is where it now says, and with it all that hung there.
_FOLLOW = """
UPDATE devices_place p SET space_id = d.space_id, kind = d.kind, role = d.role
  FROM devices_mounting m JOIN devices_device d ON d.id = m.device_id
 WHERE m.place_id = p.id AND m.until IS NULL AND d.id = ANY(%(ids)s) AND d.space_id IS NOT NULL
   AND (p.space_id, p.kind, p.role) IS DISTINCT FROM (d.space_id, d.kind, d.role)
"""
_HANGING = [str(DeviceStatus.ACTIVE), str(DeviceStatus.MAINTENANCE)]


def settle(device_ids: Collection[int]) -> None:
    """Let devices that a plan puts into a space hang there, at places that bear their tags."""
    given: dict[str, Any] = {"ids": sorted(device_ids), "hanging": _HANGING, "ever": EVER}
    with connection.cursor() as cursor:
        for statement in (_FOLLOW, _PLACES, _MOUNTINGS):
            cursor.execute(statement, given)


def mounting_of(device: Device) -> Mounting | None:
    """Where a device hangs now, locked; None when it lies in a store or on a bench."""
    settle([device.pk])
    rows = Mounting.objects.select_for_update(of=("self",)).select_related("place__space")
    return rows.filter(device=device, until=None).first()


def place_named(*, code: str, space: Space, kind: str, role: str) -> Place:
    """The place of that code, locked; made when nobody knows it.

    Raises:
        PlaceElsewhere: it is known, in another space or for another kind.
    """
    Place.objects.bulk_create(
        [Place(code=code, space=space, kind=kind, role=role)], ignore_conflicts=True
    )
    place = Place.objects.select_for_update(of=("self",)).select_related("space").get(code=code)
    if (place.space_id, place.kind) != (space.pk, kind):
        raise PlaceElsewhere(f"{code} is for {place.kind} in {place.space.code}")
    return place


def check_free(place: Place) -> None:
    """Refuse a place where something hangs.

    Raises:
        PlaceTaken: and by what.
    """
    held = place.mountings.select_related("device").filter(until=None).first()
    if held is not None:
        raise PlaceTaken(f"{place.code} holds {held.device.code}", device=held.device.code)


def mount(device: Device, place: Place, *, by: str, why: str, now: datetime) -> Mounting:
    """Hang a device at a free, locked place; the device takes over its space, kind and role."""
    check_free(place)
    row = Mounting.objects.create(place=place, device=device, since=now, by=by, why=why)
    device.space, device.kind, device.role = place.space, place.kind, place.role
    return row


def take_down(mounting: Mounting, *, now: datetime) -> None:
    """End a mounting; one that began this very instant never was."""
    if mounting.since >= now:
        mounting.delete()
        return
    mounting.until = now
    mounting.save(update_fields=["until"])
