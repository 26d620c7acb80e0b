"""Files are imported whole, twice without effect, or refused with every fault."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from base_ops.core import importers
from base_ops.core.faults import BrokenFile
from base_ops.core.models import Space, Tenant

DATA = Path(__file__).resolve().parents[2] / "base_ops" / "data"


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "wanbo_base.json").read_bytes())
    return data


@pytest.mark.django_db
def test_the_base_is_2600_square_metres_and_importing_again_changes_nothing(
    base: dict[str, Any],
) -> None:
    importers.load_base(base)
    before = list(Space.objects.values())
    importers.load_base(base)

    assert list(Space.objects.values()) == before
    assert sum(space["area_m2"] for space in before) == 2600
    assert Space.objects.filter(bookable=True).count() == 36


@pytest.mark.django_db
def test_a_broken_base_is_refused_with_every_fault_and_nothing_imported(
    base: dict[str, Any],
) -> None:
    broken = copy.deepcopy(base)
    broken["spaces"][0]["polygon"].reverse()
    broken["spaces"][1]["type"] = "ballroom"
    broken["spaces"][2]["area_m2"] = -1
    del broken["spaces"][3]["name_zh"]
    broken["spaces"][5]["code"] = broken["spaces"][4]["code"]
    broken["space_types"][0]["slot_min"] = 0

    with pytest.raises(BrokenFile) as refusal:
        importers.load_base(broken)

    text = "\n".join(refusal.value.faults)
    for needle in (
        "counter-clockwise",
        "ballroom",
        "area_m2: a number",
        "name_zh is missing",
        "appears twice",
        "slot_min: must be > 0",
    ):
        assert needle in text
    assert not Space.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_object_is_refused_in_one_sentence(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "base.json"
    file.write_bytes(content)

    with pytest.raises(CommandError, match=r"not JSON|object is wanted"):
        call_command("import_base", str(file))


@pytest.mark.django_db
def test_tenants_have_valid_social_credit_codes_or_are_refused() -> None:
    data = json.loads((DATA / "demo_data.json").read_bytes())
    importers.load_tenants(data)
    assert Tenant.objects.count() == 42

    data["tenants"][0]["uscc"] = "91440113DEM000014X"
    data["tenants"][1]["compliance_rating"] = "E"
    with pytest.raises(BrokenFile) as refusal:
        importers.load_tenants(data)
    assert len(refusal.value.faults) == 2


@pytest.mark.django_db
def test_faults_of_spaces_and_devices_are_told_at_once(
    base: dict[str, Any], tmp_path: Path
) -> None:
    broken = copy.deepcopy(base)
    broken["spaces"][1]["type"] = "ballroom"
    broken["spaces"][2]["devices"][0]["model"] = "LT-NONE"
    file = tmp_path / "base.json"
    file.write_text(json.dumps(broken))

    with pytest.raises(CommandError) as refusal:
        call_command("import_base", str(file))

    assert "ballroom" in str(refusal.value)
    assert "LT-NONE" in str(refusal.value)
    assert not Space.objects.exists()
