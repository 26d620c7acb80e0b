"""Refusals at the door and of what is given back there, each provoked by a request of its own."""

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from base_ops.core import clock
from base_ops.core.models import Role
from booking.services import doors, handovers, walls
from tests import make
from tests.api.refusing import Provoked, confirmed, is_problem, member, shifted
from tests.booking import world
from tests.booking.rulings import document, rule
from tests.booking.test_api import API, client, post
from tests.booking.test_handover import inside, upload
from tests.booking.test_rulebook_api import put

pytestmark = pytest.mark.usefixtures("prices")
HOUR = timedelta(hours=1)


def _check_in(booking: Any) -> Any:
    return post(client(make.user()), f"/bookings/{booking.code}/check-in")


def _scan(caller: Any, space: Any, *, age: timedelta = timedelta(0)) -> Any:
    token = doors.door_code(space=space, now=clock.now() - age)["token"]
    return post(caller, "/check-in", {"token": token})


def check_in_not_needed() -> Any:
    rules = document(rule("check_in", needed=False, grace_min=None))
    assert put(client(make.user()), rules).status_code == 200
    return _check_in(shifted(confirmed(client(member())), clock.now()))


def door_code_expired() -> Any:
    return _scan(client(member()), world.studio(), age=timedelta(minutes=5))


def handover_closed() -> Any:
    caller = client(member())
    return post(caller, f"/bookings/{confirmed(caller).code}/handover", {"notes": "x"})


def no_booking_here() -> Any:
    return _scan(client(member()), world.studio())


def not_your_booking() -> Any:
    theirs = shifted(inside(member()), clock.now() - HOUR / 2)
    return _scan(client(member()), theirs.space)


def room_not_free() -> Any:
    """The show before was to be over and still runs."""
    before, now = inside(member()), clock.now()
    after = shifted(confirmed(client(member())), now, space=before.space)
    after.allocations.update(active=False)
    before.allocations.update(active=False)
    shifted(before, now - 2 * HOUR, ends_at=now)
    for booking, start in ((before, now - 2 * HOUR), (after, now)):
        booking.allocations.update(
            space=before.space, active=True, block=(start, start + timedelta(minutes=59))
        )
    return _check_in(after)


def too_early() -> Any:
    return _check_in(shifted(confirmed(client(member())), clock.now() + 5 * HOUR))


def too_late() -> Any:
    now = clock.now()
    return _check_in(shifted(confirmed(client(member())), now - HOUR, ends_at=now + HOUR))


def too_many_displays() -> Any:
    caller, path = client(make.user()), f"/spaces/{world.studio().code}/door-displays"
    answers = [post(caller, path, {"name": "d"}) for _ in range(doors.MAX_DISPLAYS + 1)]
    return answers[-1]


def too_many_walls() -> Any:
    caller = client(make.user())
    answers = [post(caller, "/wall-displays", {"name": "w"}) for _ in range(walls.MAX_WALLS + 1)]
    return answers[-1]


def unknown_wall() -> Any:
    return post(client(make.user()), "/wall-displays/999999/revoke")


def _picture(n: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (n * 20, 0, 0)).save(out, "PNG")
    return out.getvalue()


def too_many_photos() -> Any:
    who = member()
    caller, code = client(who), inside(who).code
    answers = [
        upload(caller, code, _picture(n), "image/png") for n in range(handovers.MAX_PHOTOS + 1)
    ]
    return answers[-1]


def unknown_door() -> Any:
    return client(make.user(Role.MANAGER)).get(f"{API}/spaces/NOWHERE/door")


PROVOKED: Provoked = {
    "check_in_not_needed": (409, check_in_not_needed),
    "door_code_expired": (409, door_code_expired),
    "handover_closed": (409, handover_closed),
    "no_booking_here": (404, no_booking_here),
    "not_your_booking": (403, not_your_booking),
    "room_not_free": (409, room_not_free),
    "too_early": (409, too_early),
    "too_late": (409, too_late),
    "too_many_displays": (409, too_many_displays),
    "too_many_photos": (409, too_many_photos),
    "too_many_walls": (409, too_many_walls),
    "unknown_door": (404, unknown_door),
    "unknown_wall": (404, unknown_wall),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
