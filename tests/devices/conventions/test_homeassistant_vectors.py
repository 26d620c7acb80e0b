"""What Home Assistant itself made of recorded messages, and what we make of them."""

import json
import time
from typing import Any

import pytest

from devices.domain.conventions.homeassistant import HomeAssistant, abbreviations
from tests.devices.conventions import vectors
from tests.devices.conventions.refusals import OURS, REFUSED

FILES = (
    "ha_availability",
    "ha_camera",
    "ha_control",
    "ha_discovery",
    "ha_light",
    "ha_sensor",
    "third_party",
    "z2m",
    "z2mflood",
)
VECTORS = [(name, vector) for name in FILES for vector in vectors.load(name)]


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=f"{name}:{v['id']}") for name, v in VECTORS]
)
def test_a_recorded_exchange_means_the_same_to_us(vector: dict[str, Any]) -> None:
    vectors.run(vector, vectors.World(), OURS.get(vector["id"], {}))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_where_we_refuse_on_purpose_we_truly_differ(name: str) -> None:
    vector = next(v for _, v in VECTORS if v["id"] == name)

    with pytest.raises(AssertionError):
        vectors.run(vector, vectors.World(), {})


def test_each_refusal_has_a_reason_and_a_vector() -> None:
    assert OURS.keys() == REFUSED.keys()
    assert REFUSED.keys() <= {vector["id"] for _, vector in VECTORS}


def test_a_real_flood_of_announcements_is_understood_to_the_last() -> None:
    world = vectors.World()
    begun = time.thread_time()
    for message in vectors.load("z2m_discovery_corpus"):
        payload = vectors.payload_of(message)
        result = world.recv(message["topic"], payload, retained=True)
        assert not result.refused, message["topic"]

    assert time.thread_time() - begun < 20
    assert len(world.rows) == 465
    assert len(world.devices) == 69
    assert sum(bool(bound.binding.capabilities) for bound in world.devices.values()) == 54


def test_each_abbreviation_is_known() -> None:
    recorded: dict[str, Any] = json.loads((vectors.FOLDER / "ha_abbreviations.json").read_text())

    assert recorded["abbreviations"] == abbreviations.KEYS
    assert recorded["device"] == abbreviations.DEVICE
    assert recorded["origin"] == abbreviations.ORIGIN
    assert set(recorded["supported_components"]) == abbreviations.COMPONENTS
    assert tuple(recorded["device_payload_shared_options"]) == abbreviations.SHARED


def test_messages_that_announce_nothing_are_left_to_the_devices() -> None:
    convention = HomeAssistant()

    assert convention.discover("homeassistant/status", b"online", retained=True) is None
    assert convention.discover("homeassistant/switch/a/state", b"ON", retained=False) is None
    assert convention.discover("wb1/d/a/state", b"{}", retained=False) is None
