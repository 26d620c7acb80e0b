"""House lights: on while the room is prepared, used or cleaned, or somebody is there."""

from datetime import datetime, timedelta

import pytest

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Space
from devices import services
from devices.models import Command, Device, Shadow
from tests import make as base
from tests.devices import make

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def room(now: datetime, *, lit: bool, **changes: object) -> tuple[Space, Device]:
    space = base.space(**changes)
    lamp = make.device(
        "light", space=space, role="house", model="LT-HOUSE-36", link="online", seen_at=now
    )
    Shadow.objects.filter(device=lamp).update(reported={"power": lit})
    return space, lamp


def told(now: datetime) -> list[bool]:
    """What the rule commands now; those commands are taken away again."""
    services.light_houses(now)
    found = Command.objects.filter(device__role="house")
    states = [c.state["power"] for c in found]
    found.delete()
    return states


def test_lit_from_prepare_until_wrap_and_cleaning_are_over(now: datetime) -> None:
    space, lamp = room(now, lit=False)
    cleaning = space.type.teardown_min * MINUTE
    assert told(now) == []

    services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)
    assert told(now) == [True]
    Shadow.objects.filter(device=lamp).update(reported={"power": True})
    end = now + 60 * MINUTE
    services.apply_scene(space=space, scene="wrap", actor=SYSTEM, now=end)

    assert told(end + cleaning - MINUTE) == []
    assert told(end + cleaning) == [False]


def test_never_dark_while_somebody_is_there(now: datetime) -> None:
    space, _ = room(now, lit=True)
    sensor = make.device("sensor", space=space, model="SEN-PIR", link="online")
    Shadow.objects.filter(device=sensor).update(reported={"presence": True, "count": 2})

    assert told(now) == []
    Shadow.objects.filter(device=sensor).update(reported={"presence": False, "count": 0})
    assert told(now) == [False]


def test_never_dark_on_air(now: datetime) -> None:
    space, _ = room(now, lit=True)
    encoder = make.device("encoder", space=space)
    services.ingest([make.online(encoder, now), make.state(encoder, now, 1, run="live")], now)

    assert told(now) == []


def test_rooms_that_nobody_books_are_left_alone(now: datetime) -> None:
    room(now, lit=True, bookable=False)

    assert told(now) == []
