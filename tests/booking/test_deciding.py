"""Drafts, requests and releases, through the services and over HTTP."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock, errors
from base_ops.core.models import Role, User
from billing.models import Charge, Reservation
from booking import services
from booking.domain import states
from booking.domain.rules import ceil_to_grid
from booking.models import Booking
from booking.services import settling
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
MIN = timedelta(minutes=1)
_keys = itertools.count(10_000_000)


def wish(now: datetime, **changes: object) -> services.BookingWish:
    fields = {
        "space": world.studio(), "tenant": make.tenant(), "span": world.span(now + 60 * MIN),
    }  # fmt: skip
    return services.BookingWish(**fields | changes)  # type: ignore[arg-type]


def pending(now: datetime, **changes: object) -> Booking:
    booking = world.booked(now=now, **changes)  # type: ignore[arg-type]
    Booking.objects.filter(pk=booking.pk).update(status="pending_approval", confirmed_at=None)
    booking.refresh_from_db()
    return booking


def test_a_draft_takes_nothing_and_keeps_its_price(now: datetime) -> None:
    asked = wish(now)
    actor = world.actor(asked.tenant)

    draft = services.draft(wish=asked, actor=actor, now=now)
    took = draft.allocations.count()
    rival = world.booked(now=now, space=asked.space, start_min=180)
    held = services.hold(booking=draft, actor=actor, now=now + MIN)

    assert (draft.status, took) == ("draft", 0)
    assert draft.expires_at == now + 30 * MIN
    assert (held.status, held.expires_at) == ("held", now + 11 * MIN)
    assert held.price_fen == draft.price_fen
    assert rival.status == "confirmed"


def test_a_draft_whose_slot_went_is_refused_and_stays_a_draft(now: datetime) -> None:
    asked = wish(now)
    draft = services.draft(wish=asked, actor=world.STAFF, now=now)
    world.booked(now=now, space=asked.space)

    with pytest.raises(services.SlotTaken):
        services.confirm(booking=draft, actor=world.STAFF, now=now + MIN)

    draft.refresh_from_db()
    assert draft.status == "draft"
    assert not Reservation.objects.filter(source=f"booking/{draft.code}").exists()


def test_a_draft_too_old_cannot_be_held(now: datetime) -> None:
    draft = services.draft(wish=wish(now), actor=world.STAFF, now=now)

    with pytest.raises(settling.HoldExpired):
        services.hold(booking=draft, actor=world.STAFF, now=now + 30 * MIN)

    assert services.expire_due(now=now + 30 * MIN) == 1
    draft.refresh_from_db()
    assert draft.status == "expired"


def test_a_pending_request_blocks_until_somebody_decides(now: datetime) -> None:
    request = pending(now)

    with pytest.raises(services.SlotTaken):
        world.booked(now=now, space=request.space)
    with pytest.raises(states.NotYours):
        services.approve(booking=request, actor=world.actor(request.tenant), now=now)

    approved = services.approve(booking=request, actor=world.STAFF, now=now)
    assert (approved.status, approved.confirmed_at) == ("confirmed", now)


def test_a_rejected_request_gives_the_slot_back_and_costs_nothing(now: datetime) -> None:
    request = pending(now)

    with pytest.raises(errors.Invalid) as caught:
        services.reject(booking=request, actor=world.STAFF, reason="  ", now=now)
    rejected = services.reject(booking=request, actor=world.STAFF, reason="停电", now=now)

    assert [f.name for f in caught.value.fields] == ["reason"]
    assert (rejected.status, rejected.cancel_reason) == ("rejected", "停电")
    assert not Charge.objects.exists()
    assert Reservation.objects.get().state == "released"
    assert world.booked(now=now, space=request.space).status == "confirmed"


def test_a_request_nobody_decided_on_expires_at_its_start(now: datetime) -> None:
    request = pending(now)

    assert services.expire_due(now=request.starts_at - MIN) == 0
    assert services.expire_due(now=request.starts_at) == 1

    request.refresh_from_db()
    assert request.status == "expired"


def test_the_base_may_release_without_a_fee_and_says_why(now: datetime) -> None:
    booking = world.booked(now=now, start_min=60)

    with pytest.raises(states.NotYours):
        services.release(
            booking=booking, actor=world.actor(booking.tenant), reason="please", now=now
        )
    released = services.release(booking=booking, actor=world.STAFF, reason="空调故障", now=now)

    assert released.status == "released"
    assert not Charge.objects.exists()


def post(user: User, path: str, body: dict[str, object] | None = None) -> Any:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client().post(
        f"/api/v1{path}",
        body or {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f"decide-{next(_keys)}"},
    )


def test_over_http_a_tenant_drafts_and_confirms_and_a_manager_decides() -> None:
    member, manager = make.user(Role.TENANT_ADMIN), make.user(Role.MANAGER)
    start = ceil_to_grid(clock.now() + timedelta(hours=30), 30)
    times = {"starts_at": start.isoformat(), "ends_at": (start + 60 * MIN).isoformat()}

    draft = post(member, "/bookings", {"space": world.studio().code, "draft": True, **times})
    code = draft.json()["code"]
    confirmed = post(member, f"/bookings/{code}/confirm")
    refused = post(member, f"/bookings/{code}/release", {"reason": "please"})
    mute = post(manager, f"/bookings/{code}/release", {"reason": " "})
    too_late = post(manager, f"/bookings/{code}/reject", {"reason": "busy"})
    released = post(manager, f"/bookings/{code}/release", {"reason": "空调故障"})

    assert (draft.status_code, draft.json()["status"]) == (201, "draft")
    assert draft.json()["possible"] == ["hold", "request", "confirm", "cancel"]
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
    assert [refused.status_code, mute.status_code, too_late.status_code] == [403, 422, 409]
    assert released.json()["status"] == "released"
    token, _ = auth.new_token(user=member, name="t", now=clock.now())
    history = Client().get(
        f"/api/v1/bookings/{code}/history", headers={"Authorization": f"Bearer {token}"}
    )
    deeds = [(h["deed"], h["by"], h["became"], h["who"], h["why"]) for h in history.json()]
    assert deeds == [
        ("draft", "tenant", "draft", member.email, ""),
        ("confirm", "tenant", "confirmed", member.email, ""),
        ("release", "base", "released", "", "空调故障"),
    ]


def test_equipment_is_kept_by_managers_and_counted_for_a_window() -> None:
    member, manager = make.user(Role.TENANT_ADMIN), make.user(Role.MANAGER)
    start = ceil_to_grid(clock.now() + timedelta(hours=30), 30)
    times = {"starts_at": start.isoformat(), "ends_at": (start + 60 * MIN).isoformat()}
    body = {
        "name_zh": "摄像机", "name_en": "Cameras", "service_code": "SV-CAM",
        "units": [{"number": 1}, {"number": 2}],
    }  # fmt: skip

    def put(user: User, body: dict[str, Any], **headers: str) -> Any:
        token, _ = auth.new_token(user=user, name="t", now=clock.now())
        return Client().put(
            "/api/v1/equipment-pools/CAM", body, content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **headers},
        )  # fmt: skip

    assert put(member, body).status_code == 403
    unpriced = put(manager, body | {"service_code": "SV-MK"})
    made = put(manager, body)
    booked = post(
        member, "/bookings",
        {"space": world.studio().code, "extras": [{"pool": "CAM"}], "confirm": True, **times},
    )  # fmt: skip
    token, _ = auth.new_token(user=member, name="t", now=clock.now())
    free = Client().get(
        "/api/v1/equipment-pools",
        {"from": times["starts_at"], "to": times["ends_at"]},
        headers={"Authorization": f"Bearer {token}"},
    )
    blind = put(manager, body)
    in_use = put(manager, body | {"units": [{"number": 2}]}, **{"If-Match": made["ETag"]})
    spare = put(manager, body | {"units": [{"number": 1}]}, **{"If-Match": made["ETag"]})

    assert (unpriced.status_code, unpriced.json()["code"]) == (422, "unknown_service")
    assert made.status_code == 200
    assert booked.json()["extras"][0]["code"] == "CAM"
    assert free.json()[0]["free"] == 1
    assert blind.status_code == 428
    assert (in_use.status_code, in_use.json()["code"]) == (409, "unit_in_use")
    assert in_use.json()["bookings"] == [booked.json()["code"]]
    assert (spare.status_code, spare.json()["in_service"]) == (200, 1)
