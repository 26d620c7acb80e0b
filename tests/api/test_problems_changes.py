"""Refusals of changes, lists, quotes, leases and runs, each provoked by a request of its own."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from booking.models import Booking
from tests import make
from tests.api.refusing import Provoked, confirmed, is_problem, member, shifted
from tests.booking import lets, world
from tests.booking.rulings import document, rule
from tests.booking.test_api import API, client, post, wish
from tests.booking.test_leases_api import today
from tests.booking.test_leases_api import wish as lease_wish
from tests.booking.test_rulebook_api import put

pytestmark = pytest.mark.usefixtures("prices")
HOUR = timedelta(hours=1)


def bad_cursor() -> Any:
    return client(make.user()).get(f"{API}/bookings", {"cursor": "nowhere"})


def blackout_not_found() -> Any:
    return client(make.user()).get(f"{API}/blackouts/BONOWHERE")


def blackout_over() -> Any:
    """Cancelled twice."""
    caller, now = client(make.user()), clock.now()
    body = {
        "space": world.studio().code, "kind": "maintenance", "reason": "检修",
        "starts_at": (now + HOUR).isoformat(), "ends_at": (now + 2 * HOUR).isoformat(),
    }  # fmt: skip
    path = f"/blackouts/{post(caller, '/blackouts', body).json()['code']}/cancel"
    post(caller, path, {"reason": "x"})
    return post(caller, path, {"reason": "x"})


def cannot_swap() -> Any:
    """With itself."""
    caller = client(member())
    code = confirmed(caller).code
    return post(client(make.user()), f"/bookings/{code}/swap", {"other": code})


def hold_expired() -> Any:
    caller = client(member())
    booking = confirmed(caller, confirm=False)
    Booking.objects.filter(pk=booking.pk).update(expires_at=clock.now())
    return post(caller, f"/bookings/{booking.code}/confirm")


def inputs_changed() -> Any:
    """Approved by another hash than the preview's."""
    finance, path = client(make.user(Role.FINANCE)), "/invoice-runs"
    run = post(finance, path, {"month": "2026-08"}).json()
    return post(finance, f"{path}/{run['id']}/approve", {"inputs_hash": "0" * 64})


def move_needs_approval() -> Any:
    """A tenant makes a confirmed booking so long that somebody would have to approve it."""
    caller = client(member())
    booking = confirmed(caller)
    published = put(client(make.user()), document(rule("approval", over_minutes=90)))
    assert published.status_code == 200, published.json()
    longer = {"ends_at": (booking.ends_at + HOUR).isoformat()}
    return caller.post(
        f"{API}/bookings/{booking.code}/move", longer, content_type="application/json",
        headers={"Idempotency-Key": "key-move-needs-approval", "If-Match": "*"},
    )  # fmt: skip


def no_equal_room() -> Any:
    booking = confirmed(client(member()))
    return post(client(make.user()), f"/bookings/{booking.code}/transfer", {"reason": "灯光故障"})


def _signed_lease(finance: Any) -> str:
    asked = lease_wish(lets.desks(), make.tenant(), months=12, sign=True)
    return f"/leases/{post(finance, '/leases', asked).json()['code']}"


def deposit_mismatch() -> Any:
    finance = client(make.user(Role.FINANCE))
    body = {"amount_fen": 10**9, "on": today().isoformat()}
    return post(finance, f"{_signed_lease(finance)}/deposit/received", body)


def not_an_early_end() -> Any:
    finance = client(make.user(Role.FINANCE))
    body = {"last_day": (today() + timedelta(days=4000)).isoformat(), "reason": "搬迁"}
    return post(finance, f"{_signed_lease(finance)}/terminate", body)


def wrong_lease_state() -> Any:
    """Signed twice."""
    finance = client(make.user(Role.FINANCE))
    return post(finance, f"{_signed_lease(finance)}/sign")


def not_priced() -> Any:
    """With a service that the price book does not know."""
    asked = wish(world.studio(), services=[{"code": "unheard_of", "qty": 1}])
    return client(member()).post(f"{API}/quotes", asked, content_type="application/json")


def quote_expired() -> Any:
    return post(client(member()), "/bookings", wish(world.studio()) | {"quote_token": "forged"})


def too_late_to_move() -> Any:
    booking = shifted(confirmed(client(member())), clock.now() - HOUR)
    later = {"starts_at": (clock.now() + 5 * HOUR).isoformat()}
    return client(make.user()).post(
        f"{API}/bookings/{booking.code}/move", later, content_type="application/json",
        headers={"Idempotency-Key": "key-too-late-to-move", "If-Match": "*"},
    )  # fmt: skip


PROVOKED: Provoked = {
    "bad_cursor": (422, bad_cursor),
    "blackout_not_found": (404, blackout_not_found),
    "blackout_over": (409, blackout_over),
    "cannot_swap": (409, cannot_swap),
    "deposit_mismatch": (409, deposit_mismatch),
    "hold_expired": (409, hold_expired),
    "inputs_changed": (409, inputs_changed),
    "move_needs_approval": (409, move_needs_approval),
    "no_equal_room": (409, no_equal_room),
    "not_an_early_end": (422, not_an_early_end),
    "not_priced": (422, not_priced),
    "quote_expired": (409, quote_expired),
    "too_late_to_move": (409, too_late_to_move),
    "wrong_lease_state": (409, wrong_lease_state),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
