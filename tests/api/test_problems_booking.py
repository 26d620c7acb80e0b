"""Refusals of bookings, series, leases and rules that no other test asks for over HTTP."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from PIL import Image

from base_ops.core import clock
from base_ops.core.models import Role
from billing.domain.facts import booking_source
from billing.models import Reservation
from booking.models import Booking, RuleBook, WaitlistEntry
from booking.services import waiting
from tests import make
from tests.api.refusing import Provoked, confirmed, is_problem, member
from tests.booking import lets, world
from tests.booking.rulings import document, rule
from tests.booking.test_api import API, client, post, wish
from tests.booking.test_handover import inside, upload
from tests.booking.test_leases_api import today
from tests.booking.test_leases_api import wish as lease_wish
from tests.booking.test_rulebook_api import put
from tests.booking.test_series_api import first, patch, stamp
from tests.booking.test_series_api import wish as series_wish

pytestmark = pytest.mark.usefixtures("prices")


def already_invoiced() -> Any:
    """A booking whose claim went on an invoice gets more people."""
    caller = client(member())
    booking = confirmed(caller)
    Reservation.objects.filter(source=booking_source(booking.code)).update(
        state="committed", settled_at=clock.now()
    )
    return caller.patch(
        f"{API}/bookings/{booking.code}", {"headcount": 3, "purpose": "training"},
        content_type="application/json",
        headers={"If-Match": "*"},
    )  # fmt: skip


def blackout_refused() -> Any:
    now = clock.now()
    body = {
        "space": world.studio().code, "kind": "maintenance", "reason": "检修",
        "starts_at": (now - timedelta(days=3)).isoformat(), "ends_at": now.isoformat(),
    }  # fmt: skip
    return post(client(make.user()), "/blackouts", body)


def booking_suspended() -> Any:
    """The base's rules let the tenant in, and the price policy does not."""
    published = put(client(make.user()), document(rule("max_length", minutes=600)))
    assert published.status_code == 200, published.json()
    caller = client(member(compliance_rating="D"))
    return caller.post(
        f"{API}/quotes", wish(world.studio(), hours=26), content_type="application/json"
    )


def deed_not_yours() -> Any:
    """A tenant confirms what waits for the base's approval."""
    caller = client(member())
    booking = confirmed(caller)
    Booking.objects.filter(pk=booking.pk).update(status="pending_approval", confirmed_at=None)
    return post(caller, f"/bookings/{booking.code}/confirm")


def _series(caller: Any) -> tuple[str, str]:
    """A series of four weeks: its path, and the path of its first instance."""
    start = first()
    made = post(caller, "/series", series_wish(world.studio(), start))
    path = f"/series/{made.json()['code']}"
    return path, f"{path}/instances/{stamp(start)}"


def instance_too_late() -> Any:
    caller = client(member())
    _, instance = _series(caller)
    row = Booking.objects.exclude(series=None).earliest("starts_at")
    now = clock.now()
    Booking.objects.filter(pk=row.pk).update(
        starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1)
    )
    return patch(caller, instance, {"scope": "this", "title": "x"}, **{"If-Match": "*"})


def nothing_to_change() -> Any:
    caller = client(member())
    _, instance = _series(caller)
    return patch(caller, instance, {"scope": "this"}, **{"If-Match": "*"})


def lease_began() -> Any:
    now = clock.now()
    lease = lets.signed(
        lets.desks(), now=now, starts_on=today(), ends_on=today() + timedelta(days=400)
    )
    return post(client(make.user(Role.FINANCE)), f"/leases/{lease.code}/withdraw", {"reason": "x"})


def _signed_lease(finance: Any) -> str:
    asked = lease_wish(lets.desks(), make.tenant(), months=12, sign=True)
    return f"/leases/{post(finance, '/leases', asked).json()['code']}"


def lease_renewed() -> Any:
    finance = client(make.user(Role.FINANCE))
    path = _signed_lease(finance)
    post(finance, f"{path}/renew", {"months": 1, "monthly_rent_fen": 55_000})
    return post(finance, f"{path}/withdraw", {"reason": "撤回"})


def notice_too_short() -> Any:
    finance = client(make.user(Role.FINANCE))
    path = _signed_lease(finance)
    last = (today() + timedelta(days=3)).isoformat()
    return post(finance, f"{path}/terminate", {"last_day": last, "reason": "搬迁"})


def no_rules() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {RuleBook._meta.db_table} CASCADE")
    return client(make.user()).get(f"{API}/booking-rules")


def room_on_air() -> Any:
    booking = inside(member())
    world.encoder_says(booking.space, run="live", now=clock.now())
    body = {"space": world.studio().code, "reason": "灯光故障"}
    return post(client(make.user()), f"/bookings/{booking.code}/transfer", body)


def too_many_pixels() -> Any:
    out = io.BytesIO()
    Image.new("1", (7000, 7000)).save(out, "PNG")
    who = member()
    return upload(client(who), inside(who).code, out.getvalue(), "image/png")


def waiting_enough() -> Any:
    who, now = member(), clock.now()
    asked = wish(world.studio(), hours=26)
    post(client(member()), "/bookings", asked | {"confirm": True})
    caller = client(who)
    WaitlistEntry.objects.bulk_create(
        WaitlistEntry(
            code=f"WL{n:010d}", tenant=who.tenant, space=world.studio(), purpose="live_sales",
            starts_at=now + timedelta(hours=5), ends_at=now + timedelta(hours=6), created_at=now,
        )
        for n in range(waiting.MAX_WAITING)
    )  # fmt: skip
    return post(caller, "/waitlist", {k: v for k, v in asked.items() if k != "tenant"})


PROVOKED: Provoked = {
    "already_invoiced": (409, already_invoiced),
    "blackout_refused": (422, blackout_refused),
    "booking_suspended": (409, booking_suspended),
    "deed_not_yours": (403, deed_not_yours),
    "instance_too_late": (409, instance_too_late),
    "lease_began": (409, lease_began),
    "lease_renewed": (409, lease_renewed),
    "no_rules": (503, no_rules),
    "nothing_to_change": (422, nothing_to_change),
    "notice_too_short": (422, notice_too_short),
    "room_on_air": (409, room_on_air),
    "too_many_pixels": (422, too_many_pixels),
    "waiting_enough": (409, waiting_enough),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
