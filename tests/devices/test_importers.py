"""The illustrative base imports whole and again without change; a broken file not at all."""

import json
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from base_ops.core import importers as core_importers
from base_ops.core.actors import SYSTEM
from base_ops.core.faults import BrokenFile
from base_ops.core.models import Space
from base_ops.management.files import DATA
from devices import importers, selectors, services
from devices.models import Device, DeviceModel, Shadow

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "wanbo_base.json").read_text(encoding="utf-8"))
    return data


def test_the_base_has_its_models_and_devices(plan: dict[str, Any], now: datetime) -> None:
    core_importers.load_base(plan)

    counts = [importers.load(plan, now=now) for _ in range(2)]

    assert counts == [{"device_models": 36, "devices": 1013}] * 2
    assert (DeviceModel.objects.count(), Device.objects.count()) == (36, 1013)
    assert Shadow.objects.count() == 1013


def test_a_scene_of_a_real_studio_spares_what_is_not_its_business(
    plan: dict[str, Any], now: datetime
) -> None:
    core_importers.load_base(plan)
    importers.load(plan, now=now)
    space = Space.objects.get(code="F2-S01")

    run = services.apply_scene(space=space, scene="prepare", actor=SYSTEM, now=now)

    told = {c.device.kind for c in run.commands.select_related("device")}
    assert {"light", "camera", "encoder"} <= told
    assert not told & {"sensor", "power_meter"}
    light = selectors.ready_light(space=space, now=now)
    assert {r["code"] for r in light.reasons} >= {"light_unknown", "encoder_unknown", "no_uplink"}


def test_a_broken_file_is_refused_with_every_fault(plan: dict[str, Any], now: datetime) -> None:
    broken = deepcopy(plan)
    broken["device_models"][0]["kind"] = ""
    first = broken["spaces"][0]["devices"]
    first[1]["tag"] = first[0]["tag"]
    first[2]["model"] = "NO-SUCH"

    with pytest.raises(BrokenFile) as refused:
        importers.load(broken, now=now)

    assert len(refused.value.faults) >= 3
    assert not DeviceModel.objects.exists()
