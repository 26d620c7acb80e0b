"""Moves, swaps, transfers and the waitlist over HTTP."""

import itertools
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, User
from booking.models import Booking
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
_keys = itertools.count(1)
HOUR = timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def call(user: User, method: str, path: str, body: Any = None, **headers: str) -> Any:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    given = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"chg-{next(_keys):08d}"}
    send = getattr(Client(), method)
    return send(
        f"/api/v1{path}", body or {}, content_type="application/json", headers=given | headers
    )


def booked(user: User, *, days: int = 3) -> Any:
    day = (clock.now() + timedelta(days=days)).astimezone(SHANGHAI)
    start = day.replace(hour=14, minute=0, second=0, microsecond=0)  # both hours in one band
    body = {
        "space": world.studio().code, "confirm": True, "starts_at": start.isoformat(),
        "ends_at": (start + HOUR).isoformat(),
    }  # fmt: skip
    answer = call(user, "post", "/bookings", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_preview_then_move_with_the_version_that_was_read() -> None:
    member = make.user(Role.TENANT_ADMIN)
    booking = booked(member)
    path = f"/bookings/{booking['code']}"
    ends_at = Booking.objects.get(code=booking["code"]).ends_at
    longer: dict[str, Any] = {"ends_at": (ends_at + HOUR).isoformat()}

    seen = call(member, "post", f"{path}/change-preview", longer)
    blind = call(member, "post", f"{path}/move", longer)
    stale = call(member, "post", f"{path}/move", longer, **{"If-Match": '"99"'})
    moved = call(
        member, "post", f"{path}/move", longer | {"price_fen": seen.json()["price_fen"]},
        **{"If-Match": f'"{booking["version"]}"'},
    )  # fmt: skip

    assert (seen.status_code, seen.json()["possible"]) == (200, True)
    assert seen.json()["difference_fen"] == booking["price_fen"]
    assert seen.json()["fee_fen"] == 0
    assert (blind.status_code, stale.status_code) == (428, 412)
    assert moved.status_code == 200
    assert moved.json()["price_fen"] == 2 * booking["price_fen"]


def test_a_preview_says_why_it_cannot_be_and_a_manager_reads_no_money() -> None:
    member, manager = make.user(Role.TENANT_ADMIN), make.user(Role.MANAGER)
    one, other = booked(member), booked(make.user(Role.TENANT_ADMIN))

    seen = call(
        manager,
        "post",
        f"/bookings/{one['code']}/change-preview",
        {"space": other["space"]["code"]},
    )

    assert seen.json()["refusal"]["code"] == "slot_taken"
    assert (seen.json()["price_fen"], seen.json()["quote"]) == (None, None)


def test_a_tenant_moves_and_swaps_only_its_own() -> None:
    member, rival = make.user(Role.TENANT_ADMIN), make.user(Role.TENANT_ADMIN)
    mine, also_mine, theirs = booked(member), booked(member, days=4), booked(rival)

    strange = call(member, "post", f"/bookings/{theirs['code']}/move", {}, **{"If-Match": "*"})
    mixed = call(member, "post", f"/bookings/{mine['code']}/swap", {"other": theirs["code"]})
    fine = call(member, "post", f"/bookings/{mine['code']}/swap", {"other": also_mine["code"]})

    assert (strange.status_code, mixed.status_code) == (404, 404)
    assert fine.status_code == 200
    assert fine.json()["one"]["space"] == also_mine["space"]


def test_a_manager_transfers_anywhere_and_a_tenant_only_what_was_proposed() -> None:
    member, manager = make.user(Role.TENANT_ADMIN), make.user(Role.MANAGER)
    booking, spare = booked(member), world.studio()
    path = f"/bookings/{booking['code']}/transfer"

    wilful = call(member, "post", path, {"space": spare.code})
    unasked = call(member, "post", path)
    done = call(manager, "post", path, {"space": spare.code, "reason": "漏水"})

    assert (wilful.status_code, wilful.json()["code"]) == (403, "forbidden")
    assert (unasked.status_code, unasked.json()["code"]) == (403, "nothing_proposed")
    assert done.json()["space"]["code"] == spare.code


def test_the_waitlist_from_joining_to_the_offer() -> None:
    member, waiter, stranger = (make.user(Role.TENANT_ADMIN) for _ in range(3))
    booking = booked(member)
    wish = {
        "space": booking["space"]["code"],
        "starts_at": booking["starts_at"],
        "ends_at": booking["ends_at"],
    }

    entry = call(waiter, "post", "/waitlist", wish)
    code = entry.json()["code"]
    hidden = call(stranger, "get", f"/waitlist/{code}")
    call(member, "post", f"/bookings/{booking['code']}/cancel")
    offered = call(waiter, "get", f"/waitlist/{code}").json()
    taken = call(waiter, "post", f"/bookings/{offered['booking']}/confirm")
    listed = call(waiter, "get", "/waitlist").json()["items"]
    too_late = call(waiter, "post", f"/waitlist/{code}/cancel")
    free = call(waiter, "post", "/waitlist", wish | {"space": world.studio().code})

    assert (entry.status_code, entry.json()["status"]) == (201, "waiting")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "waitlist_entry_not_found")
    assert (offered["status"], taken.status_code) == ("offered", 200)
    assert [row["status"] for row in listed] == ["accepted"]
    assert (too_late.status_code, too_late.json()["code"]) == (409, "not_waiting")
    assert (free.status_code, free.json()["code"]) == (409, "slot_is_free")
