"""Brings the house lights of the bookable rooms in line with devices/domain/house.py.

Corridors, stairs, lobby and toilets are nobody's booking: their lights are left alone.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from base_ops.core.actors import SYSTEM
from base_ops.core.errors import DomainError
from base_ops.core.models import Space
from devices import selectors
from devices.domain import house, lifetimes
from devices.domain.commands import OPEN
from devices.domain.scenes import Scene
from devices.domain.shadow import Link
from devices.models import Device, SceneRun
from devices.models.registry import DeviceStatus
from devices.services import queueing

logger = logging.getLogger(__name__)
_MODEL_PREFIX = "LT-HOUSE"


def light_houses(now: datetime) -> int:
    """Switch the house lights that are not as they should be; returns how many were told."""
    lamps = list(
        Device.objects.filter(status=DeviceStatus.ACTIVE, model__code__startswith=_MODEL_PREFIX)
        .filter(space__bookable=True, shadow__link=Link.ONLINE)
        .exclude(commands__status__in=OPEN)
        .select_related("space__type", "model", "shadow")
        .order_by("pk")
    )
    rooms = _rooms({d.space for d in lamps if d.space is not None}, now)
    told = 0
    for lamp in lamps:
        assert lamp.space_id is not None
        lit = house.is_lit(rooms[lamp.space_id], now)
        if lamp.shadow.reported.get("power") is not lit:
            told += _switch(lamp, lit=lit, now=now)
    return told


def _switch(lamp: Device, *, lit: bool, now: datetime) -> bool:
    try:
        queueing.send_command(
            device=lamp,
            state={"power": lit},
            actor=SYSTEM,
            ttl_s=lifetimes.HOUSE_LIGHT_S,
            now=now,
        )
    except DomainError as exc:  # the room went on air meanwhile, say: the next round looks again
        logger.info("house.not_switched", extra={"device": lamp.code, "code": exc.code})
        return False
    return True


def _rooms(spaces: Collection[Space], now: datetime) -> Mapping[int, house.Room]:
    ids = [space.pk for space in spaces]
    runs = {
        run.space_id: run
        for run in SceneRun.objects.filter(space_id__in=ids)
        .order_by("space_id", "-created_at")
        .distinct("space_id")
    }
    peopled = set(
        Device.objects.filter(space_id__in=ids, shadow__reported__presence=True)
        .exclude(shadow__link=Link.OFFLINE)
        .values_list("space_id", flat=True)
    )
    shows = selectors.on_air_of(ids, now=now)
    return {
        space.pk: house.Room(
            scene=Scene(run.scene) if (run := runs.get(space.pk)) else None,
            scene_at=run.created_at if run else None,
            cleaning=timedelta(minutes=space.type.teardown_min),
            somebody_there=space.pk in peopled,
            on_air=space.pk in shows,
        )
        for space in spaces
    }
