"""A screen on the wall: what its token opens, what it never shows, and how it ends."""

import json

import pytest
from django.test import Client

from base_ops.core import clock
from base_ops.core.models import AuditEntry, Role
from booking import occupancy
from booking.models import WallDisplay
from tests import make
from tests.api.refusing import confirmed, member
from tests.booking.test_api import API, client, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]


def test_a_wall_reads_public_data_until_it_is_revoked() -> None:
    tenant = member()
    booking = confirmed(client(tenant))
    occupancy.refresh(space_ids=[booking.space.pk], now=clock.now())
    manager = client(make.user(Role.MANAGER))
    made = post(manager, "/wall-displays", {"name": "中控室"})
    assert made.status_code == 201
    wall = Client(headers={"Authorization": f"Bearer {made.json()['token']}"})

    floors = wall.get(f"{API}/wall").json()["floors"]
    seen = wall.get(f"{API}/wall/now")
    assert booking.space.code in {s["code"] for floor in floors for s in floor["spaces"]}
    assert booking.space.code in seen.json()["spaces"]
    told = json.dumps(seen.json(), ensure_ascii=False)
    assert tenant.tenant is not None
    for secret in (booking.code, tenant.tenant.code, tenant.tenant.short_zh, booking.title or "∅"):
        assert secret not in told

    for closed in ("/bookings", "/occupancy", "/floors", "/alarms", "/wall-displays", "/session"):
        answer = wall.get(f"{API}{closed}")
        assert answer.status_code == 401 or answer.json()["user"] is None, closed
    assert wall.post(f"{API}/wall-displays").status_code == 401

    listed = manager.get(f"{API}/wall-displays").json()["items"]
    assert [row["name"] for row in listed] == ["中控室"]
    assert "token" not in listed[0]
    assert listed[0]["last_used_at"] is not None
    for _ in range(2):
        assert post(manager, f"/wall-displays/{listed[0]['id']}/revoke").status_code == 200
    assert wall.get(f"{API}/wall/now").status_code == 401
    deeds = AuditEntry.objects.filter(object_type="wall_display").values_list("action", flat=True)
    assert sorted(deeds) == ["wall_display.add", "wall_display.revoke"]
    assert not WallDisplay.objects.filter(digest=made.json()["token"]).exists()


def test_only_managers_make_walls_and_a_stranger_sees_none() -> None:
    for role in (Role.TECHNICIAN, Role.FINANCE, Role.LIAISON):
        assert post(client(make.user(role)), "/wall-displays", {"name": "x"}).status_code == 403
    stranger = Client(headers={"Authorization": "Bearer wall_nothing"})
    assert stranger.get(f"{API}/wall").status_code == 401
    assert Client().get(f"{API}/wall/now").status_code == 401
    assert client(make.user(Role.TECHNICIAN)).get(f"{API}/wall/now").status_code == 200
