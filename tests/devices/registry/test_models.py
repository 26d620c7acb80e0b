"""What a model's devices can be told is data."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.actors import SYSTEM
from base_ops.core.models import AuditEntry, Role
from devices import services
from devices.domain import capabilities, limits
from devices.domain.limits import BadLimits
from devices.models import DeviceModel
from tests.devices import make
from tests.devices.registry.calls import Caller

DIM = {"type": "number", "min": 20, "max": 80, "unit": "%"}


def body(row: DeviceModel, **changes: Any) -> dict[str, Any]:
    names = ("kind", "brand", "model", "name_zh", "planning_power_w", "firmware", "limits")
    return {name: getattr(row, name) for name in names} | changes


@pytest.mark.django_db
def test_a_model_narrows_widens_and_takes_away(now: datetime) -> None:
    light = make.device()
    assert light.model is not None
    manager, path = Caller(Role.MANAGER), f"/device-models/{light.model.code}"
    changed = {
        "brightness": DIM, "rgb": None, "gel": {"type": "choice", "of": ["none", "amber"]},
    }  # fmt: skip
    manager.get(path)
    assert manager.edit(path, body(light.model, limits=changed), etag=None)[0] == 428
    status, answer = manager.edit(path, body(light.model, limits=changed), etag=manager.etag)

    command = f"/devices/{light.code}/commands"
    asked = {
        "dim": manager.post(command, {"state": {"brightness": 10}}),
        "in": manager.post(command, {"state": {"brightness": 50}}),
        "rgb": manager.post(command, {"state": {"rgb": [1, 2, 3]}}),
        "gel": manager.post(command, {"state": {"gel": "amber"}}),
    }

    assert status == 200
    assert answer["capabilities"]["brightness"]["max"] == 80
    assert {name: s for name, (s, _) in asked.items()} == {
        "dim": 422, "in": 202, "rgb": 422, "gel": 202,
    }  # fmt: skip
    shown = manager.get(f"/devices/{light.code}")[1]["capabilities"]
    assert ("rgb" in shown, shown["gel"]["of"]) == (False, ["none", "amber"])
    entry = AuditEntry.objects.get(action="device_model.edit")
    assert entry.before == {"limits": {}}


@pytest.mark.django_db
def test_a_scene_asks_no_more_than_a_model_can(now: datetime) -> None:
    light = make.device()
    assert light.space is not None
    DeviceModel.objects.filter(devices=light).update(
        limits={"brightness": {"type": "number", "min": 0, "max": 30}, "cct": None}
    )

    run = services.apply_scene(space=light.space, scene="on_air", actor=SYSTEM, now=now)

    (command,) = run.commands.all()
    assert (command.state["brightness"], "cct" in command.state) == (30, False)


@pytest.mark.django_db
def test_models_over_http() -> None:
    row = make.device().model
    assert row is not None
    manager, technician = Caller(Role.MANAGER), Caller(Role.TECHNICIAN)
    new = body(row, limits={"brightness": DIM}) | {"code": "LT-NEW"}

    made = manager.post("/device-models", new)
    again = manager.post("/device-models", new)
    by_technician = technician.post("/device-models", new | {"code": "LT-NEW2"})
    bad = manager.post("/device-models", new | {"code": "LT-BAD", "limits": {"x": {"type": "?"}}})
    unknown = manager.edit("/device-models/NONE", body(row), etag="*")

    assert (made[0], made[1]["devices"]) == (201, 0)
    assert (again[0], again[1]["code"]) == (409, "model_exists")
    assert by_technician[0] == 403
    assert (bad[0], bad[1]["code"], bad[1]["fields"][0]["name"]) == (422, "bad_limits", "x")
    assert (unknown[0], unknown[1]["code"]) == (404, "no_such_model")
    assert {m["code"] for m in technician.get("/device-models")[1]} >= {row.code, "LT-NEW"}


@pytest.mark.parametrize(
    "said",
    [
        {"type": "number", "min": 5, "max": 5},
        {"type": "number", "min": True, "max": 5},
        {"type": "number", "min": 0, "max": 1e300},
        {"type": "number", "min": 0},
        {"type": "choice", "of": []},
        {"type": "choice", "of": ["a", 1]},
        {"type": "text", "max_length": 0},
        {"type": "lamp"},
        {},
        7,
    ],
)
def test_what_is_no_rule(said: Any) -> None:
    with pytest.raises(BadLimits):
        limits.check({"x": said})


def test_what_is_described_is_read_again() -> None:
    for kind in ("light", "camera", "encoder", "audio", "hvac", "access", "switcher"):
        table = capabilities.table(kind=kind)

        assert limits.parse(limits.describe(table)) == dict(table)


@given(
    st.dictionaries(
        st.text(max_size=60),
        st.one_of(
            st.none(),
            st.integers(),
            st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=4),
        ),
        max_size=4,
    )
)
def test_limits_are_checked_or_refused_and_never_crash(said: dict[str, Any]) -> None:
    refused: list[str] = []
    try:
        limits.check(said)
    except BadLimits as fault:
        refused = [f.name for f in fault.fields]

    if not refused:
        assert set(limits.parse(said)) == {k for k, v in said.items() if v is not None}
