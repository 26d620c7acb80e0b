"""Words for tests that provoke one refusal each: what a problem is, who asks, what they have."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from base_ops.core import openapi
from base_ops.core.models import Role, User
from booking.models import Booking
from tests import make
from tests.booking import world
from tests.booking.test_api import post, wish

Provoked = dict[str, tuple[int, Callable[[], Any]]]
"""By code: the status, and the request that is answered so."""


def is_problem(answer: Any, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer["Content-Type"] == openapi.PROBLEM
    assert problem["title_zh"] != problem["title_en"]


def member(**tenant: Any) -> User:
    return make.user(Role.TENANT_ADMIN, tenant=make.tenant(**tenant))


def confirmed(caller: Any, **changes: Any) -> Booking:
    answer = post(caller, "/bookings", wish(world.studio()) | {"confirm": True} | changes)
    return Booking.objects.get(code=answer.json()["code"])


def shifted(booking: Booking, starts_at: datetime, **changes: Any) -> Booking:
    """The same booking as if it were for this instant and an hour."""
    ends_at = starts_at + timedelta(hours=1)
    Booking.objects.filter(pk=booking.pk).update(
        starts_at=starts_at, ends_at=changes.pop("ends_at", ends_at), **changes
    )
    booking.refresh_from_db()
    return booking
