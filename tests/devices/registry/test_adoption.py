"""Strangers are adopted by two people, or by one where the settings say so."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock, live
from base_ops.core.models import AuditEntry, Role
from devices.models import Device, DeviceModel, LifeEvent, Mounting
from tests import make as base
from tests.devices import make
from tests.devices.registry.calls import Caller, stranger

pytestmark = pytest.mark.django_db


def key_light() -> DeviceModel:
    model = make.device().model
    assert model is not None
    return model


def wish(**changes: Any) -> dict[str, Any]:
    return {"model": key_light().code, "space": base.space().code, "role": "key"} | changes


def test_a_technician_proposes_and_a_manager_approves() -> None:
    stranger("NEW1", clock.now())
    technician, manager = Caller(Role.TECHNICIAN), Caller(Role.MANAGER)
    asked = wish(place="WALL-LEFT", why="new key light")

    status, proposal = technician.post("/devices/NEW1/adoptions", asked)
    assert (status, proposal["status"]) == (201, "proposed")
    assert Device.objects.get(code="NEW1").status == "quarantine"
    status, decided = manager.post(f"/device-adoptions/{proposal['id']}/approve", {"why": "ok"})

    assert (status, decided["status"], decided["decided_by"]) == (
        200, "approved", manager.user.actor.label,
    )  # fmt: skip
    device = Device.objects.select_related("space", "model").get(code="NEW1")
    assert (device.status, device.space and device.space.code, device.role) == (
        "active", asked["space"], "key",
    )  # fmt: skip
    assert Mounting.objects.get(device=device).place.code == "WALL-LEFT"
    event = LifeEvent.objects.get(device=device)
    assert (event.deed, event.was, event.became, event.why) == (
        "adopt", "quarantine", "active", "ok",
    )  # fmt: skip
    actions = AuditEntry.objects.filter(object_code__in=["NEW1", str(proposal["id"])])
    assert set(actions.values_list("action", flat=True)) == {
        "adoption.propose", "adoption.approve", "device.adopt",
    }  # fmt: skip


def test_nobody_approves_their_own_proposal_and_technicians_approve_none() -> None:
    stranger("NEW2", clock.now())
    manager, technician = Caller(Role.MANAGER), Caller(Role.TECHNICIAN)
    _, proposal = manager.post("/devices/NEW2/adoptions", wish())
    path = f"/device-adoptions/{proposal['id']}"

    own = manager.post(f"{path}/approve")
    by_technician = technician.post(f"{path}/approve")
    refused_by_technician = technician.post(f"{path}/refuse")

    assert (own[0], own[1]["code"]) == (403, "own_proposal")
    assert by_technician[0] == 403
    assert refused_by_technician[0] == 403
    assert Device.objects.get(code="NEW2").status == "quarantine"
    assert manager.post(f"{path}/refuse")[1]["status"] == "withdrawn"


def test_a_technician_alone_adopts_where_the_settings_say_so() -> None:
    stranger("NEW3", clock.now())
    manager, technician = Caller(Role.MANAGER), Caller(Role.TECHNICIAN)
    _, settings = manager.get("/device-settings")
    known = {k: settings[k] for k in ("max_waiting", "max_newcomers_per_hour", "keep_silent_days")}
    body = known | {"adoption_needs_approval": False}
    assert technician.edit("/device-settings", body, etag=manager.etag)[0] == 403
    assert manager.edit("/device-settings", body, etag=None)[0] == 428
    assert manager.edit("/device-settings", body, etag=manager.etag)[0] == 200
    assert manager.edit("/device-settings", body, etag='"1"')[0] == 412

    status, proposal = technician.post("/devices/NEW3/adoptions", wish())

    assert (status, proposal["status"]) == (201, "approved")
    assert Device.objects.get(code="NEW3").status == "active"


def test_what_cannot_be_proposed() -> None:
    now = clock.now()
    taken = make.device()
    assert taken.space is not None
    who = Caller(Role.TECHNICIAN)
    stranger("NEW4", now)

    def code_of(path: str, body: dict[str, Any]) -> tuple[int, str]:
        status, answer = who.post(path, body)
        return status, answer.get("code", answer.get("status"))

    unknown = code_of("/devices/NOBODY/adoptions", wish())
    active = code_of(f"/devices/{taken.code}/adoptions", wish())
    no_model = code_of("/devices/NEW4/adoptions", wish(model="NONE"))
    no_space = code_of("/devices/NEW4/adoptions", wish(space="NONE"))
    from devices.services import placing

    placing.settle([taken.pk])
    held = wish(space=taken.space.code, place=taken.code)
    place_taken = code_of("/devices/NEW4/adoptions", held)
    elsewhere = code_of("/devices/NEW4/adoptions", wish(place=taken.code))
    first = code_of("/devices/NEW4/adoptions", wish())
    twice = code_of("/devices/NEW4/adoptions", wish())

    assert unknown == (404, "no_such_device")
    assert active == (409, "device_transition")
    assert no_model == (422, "unknown_model")
    assert no_space == (422, "unknown_space")
    assert place_taken == (409, "place_taken")
    assert elsewhere == (409, "place_mismatch")
    assert first == (201, "proposed")
    assert twice == (409, "already_proposed")


def test_a_decided_proposal_stays_decided() -> None:
    stranger("NEW5", clock.now())
    technician, manager = Caller(Role.TECHNICIAN), Caller(Role.MANAGER)
    _, proposal = technician.post("/devices/NEW5/adoptions", wish())
    path = f"/device-adoptions/{proposal['id']}"

    first = manager.post(f"{path}/refuse", {"why": "not ours"})
    again = manager.post(f"{path}/approve")
    unknown = manager.post("/device-adoptions/99999999/approve")

    assert (first[1]["status"], first[1]["decided_why"]) == ("refused", "not ours")
    assert (again[0], again[1]["code"]) == (409, "adoption_decided")
    assert (unknown[0], unknown[1]["code"]) == (404, "no_such_adoption")
    assert (
        technician.get("/device-adoptions?status=refused")[1]["items"][0]["id"] == (proposal["id"])
    )


def test_whoever_watches_the_registry_hears_who_waits() -> None:
    now = clock.now()
    stranger("NEW6", now)
    technician = Caller(Role.TECHNICIAN)
    technician.post("/devices/NEW6/adoptions", wish())

    _, _, state = live.state("registry")

    assert state["proposed"]["count"] == 1
    assert state["changed"] == {
        "device": "NEW6", "status": "quarantine", "at": state["changed"]["at"],
    }  # fmt: skip
    assert live.allowed(technician.user, "registry")
    assert not live.allowed(base.user(Role.TENANT_ADMIN), "registry")


def test_a_rejected_stranger_stays_away_until_readmitted() -> None:
    now = clock.now()
    stranger("NEW7", now)
    manager = Caller(Role.MANAGER)

    rejected = manager.post("/devices/NEW7/life", {"deed": "reject", "why": "not ours"})
    wrong = manager.post("/devices/NEW7/life", {"deed": "return", "why": "x"})
    back = manager.post("/devices/NEW7/life", {"deed": "readmit", "why": "ours after all"})
    life = manager.get("/devices/NEW7/life")[1]

    assert (rejected[0], rejected[1]["status"]) == (200, "retired")
    assert (wrong[0], wrong[1]["code"], wrong[1]["possible"]) == (
        409, "device_transition", ["readmit"],
    )  # fmt: skip
    assert back[1]["status"] == "quarantine"
    assert [e["deed"] for e in life] == ["readmit", "reject"]


def test_a_deed_may_say_which_version_it_saw() -> None:
    device = make.device()
    manager = Caller(Role.MANAGER)
    manager.get(f"/device-inventory/{device.code}")
    seen = manager.etag
    body = {"deed": "service", "why": "lens"}

    first = manager.post(f"/devices/{device.code}/life", body, **{"If-Match": seen})
    second = manager.post(
        f"/devices/{device.code}/life", body | {"deed": "return"}, **{"If-Match": seen}
    )

    assert (first[0], second[0]) == (200, 412)


def test_the_same_request_again_moves_nothing_twice() -> None:
    device = make.device()
    manager = Caller(Role.MANAGER)
    key = {"Idempotency-Key": "the-same-key"}
    body = {"deed": "service", "why": "lens"}

    first = manager.post(f"/devices/{device.code}/life", body, **key)
    again = manager.post(f"/devices/{device.code}/life", body, **key)

    assert first == again
    assert LifeEvent.objects.filter(device=device).count() == 1


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.FINANCE, Role.LIAISON])
def test_others_see_nothing_of_the_registry(role: Role) -> None:
    who = Caller(role)
    paths = (
        "/device-inventory", "/device-firmware", "/device-models", "/device-settings",
        "/device-adoptions", "/places", "/maintenance-windows",
    )  # fmt: skip

    assert {who.get(path)[0] for path in paths} == {403}


def test_a_device_on_air_is_not_taken_out_but_a_broken_one_is() -> None:
    from devices.domain.shadow import Link
    from devices.models import Shadow, StreamSession

    now = clock.now()
    light = make.device(link=Link.ONLINE, seen_at=now)
    encoder = make.device("encoder", space=light.space)
    assert light.space is not None
    StreamSession.objects.create(device=encoder, space=light.space, started_at=now)
    manager = Caller(Role.MANAGER)
    body = {"deed": "service", "why": "noise"}

    works = manager.post(f"/devices/{light.code}/life", body)
    Shadow.objects.filter(device=light).update(last_seen_at=now - timedelta(minutes=5))
    broken = manager.post(f"/devices/{light.code}/life", body)

    assert (works[0], works[1]["code"]) == (409, "device_on_air")
    assert (broken[0], broken[1]["status"]) == (200, "maintenance")
