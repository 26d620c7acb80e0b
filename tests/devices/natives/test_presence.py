"""What all brands share: lives, presence, and what the broker kept."""

import pytest

from devices.domain import messages
from devices.domain.capabilities import BadState
from devices.domain.shadow import Link
from tests.devices.natives import networks
from tests.devices.natives.rig import Rig
from tests.devices.natives.samples import SAMPLES, tasmota

LWT = "tele/tasmota_49A3BC/LWT"
STATE = "tele/tasmota_49A3BC/STATE"


@pytest.fixture
def lamp() -> Rig:
    rig = Rig(SAMPLES["tasmota"].convention)
    rig.recv(*tasmota())
    return rig


def test_a_device_that_comes_back_begins_a_new_life_of_which_nothing_is_known(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    lamp.recv(STATE, '{"POWER":"ON","Dimmer":50}')
    first = lamp.shadows[lamp.key].session
    lamp.recv(LWT, "Offline")
    lamp.recv(LWT, "Online")
    lamp.recv(STATE, '{"POWER":"ON"}')

    assert lamp.shadows[lamp.key].session != first
    assert lamp.state() == {"power": True}


def test_what_is_said_of_a_device_that_is_away_is_no_sign_of_life(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    lamp.recv(LWT, "Offline")
    lamp.recv(STATE, '{"POWER":"ON"}')

    assert lamp.link() is Link.OFFLINE
    assert lamp.state() == {"power": True}


def test_what_the_broker_kept_waits_until_somebody_vouches_for_the_device(lamp: Rig) -> None:
    lamp.recv(STATE, '{"POWER":"ON"}', retained=True)
    before = (lamp.link(), dict(lamp.state()))
    lamp.recv(LWT, "Online", retained=True)

    assert before == (Link.UNKNOWN, {})
    assert (lamp.link(), lamp.state()) == (Link.ONLINE, {"power": True})


def test_a_live_message_is_a_sign_of_life_but_vouches_for_nothing(lamp: Rig) -> None:
    lamp.recv(STATE, '{"POWER":"ON"}')
    binding, memory = lamp.bindings[lamp.key], lamp.memories[lamp.key]

    assert lamp.link() is Link.ONLINE
    assert binding.vouched(memory, lamp.now_ms) is None


def test_an_availability_topic_vouches_until_the_line_breaks(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    binding, memory = lamp.bindings[lamp.key], lamp.memories[lamp.key]
    vouched = binding.vouched(memory, lamp.now_ms)
    lost = binding.lost(memory, lamp.now_ms)

    assert vouched == messages.Status(
        lamp.key, online=True, session=memory["session"], ts=lamp.now_ms
    )
    assert lost.said == ()
    assert binding.vouched(lost.memory, lamp.now_ms) is None


def test_a_line_that_heals_resumes_the_same_life(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    lamp.recv(STATE, '{"POWER":"ON","Dimmer":50}')
    session = lamp.shadows[lamp.key].session
    lamp.memories[lamp.key] = (
        lamp.bindings[lamp.key].lost(lamp.memories[lamp.key], lamp.now_ms).memory
    )
    lamp.recv(LWT, "Online", retained=True)
    lamp.recv(STATE, '{"POWER":"OFF"}')

    assert lamp.shadows[lamp.key].session == session
    assert lamp.state()["power"] is False
    assert lamp.state()["brightness"] == 50


def test_versions_grow_only_when_something_changed(lamp: Rig) -> None:
    for said in ('{"POWER":"ON"}', '{"POWER":"ON"}', '{"POWER":"OFF"}'):
        lamp.recv(STATE, said)

    assert lamp.shadows[lamp.key].version == 2


def test_a_memory_is_never_changed_in_place(lamp: Rig) -> None:
    lamp.recv(STATE, '{"POWER":"ON","Dimmer":50}')
    memory = lamp.memories[lamp.key]
    kept = repr(memory)
    lamp.recv(STATE, '{"POWER":"OFF","Dimmer":10}')
    lamp.recv(LWT, "Offline")

    assert repr(memory) == kept


def test_a_new_configuration_forgets_what_exists_no_more(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    lamp.recv(STATE, '{"POWER":"ON","Dimmer":50,"HSBColor":"30,100,50"}')
    lamp.recv(*tasmota(lt_st=1))

    assert lamp.memories[lamp.key]["state"] == {"power": True, "brightness": 50}


def test_a_measurement_that_the_broker_kept_is_dropped_for_it_has_no_moment(lamp: Rig) -> None:
    sensor = ("tele/tasmota_49A3BC/SENSOR", '{"ENERGY":{"Power":61,"Total":0.25}}')
    lamp.recv(*sensor, retained=True)
    kept = lamp.metrics()
    lamp.recv(*sensor)

    assert kept == {}
    assert lamp.metrics() == {"power_w": 61, "energy_wh": 250}


def test_a_zigbee_device_is_there_only_with_its_bridge() -> None:
    rig = Rig(SAMPLES["zigbee2mqtt"].convention)
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices())
    key, links = networks.key_of("bulb_color"), []
    for topic, payload in (
        ("bridge/state", "online"),
        ("bulb_color/availability", '{"state":"online"}'),
        ("bridge/state", '{"state":"offline"}'),
        ("bridge/state", '{"state":"online"}'),
        ("bulb_color/availability", "offline"),
        ("bulb_color", '{"state":"ON"}'),
    ):
        rig.recv(f"zigbee2mqtt/{topic}", payload)
        links.append(rig.link(key))

    assert links == [
        Link.STALE,  # the bridge knows it, nobody heard it
        Link.ONLINE,
        Link.OFFLINE,
        Link.ONLINE,
        Link.OFFLINE,
        Link.OFFLINE,  # a group told it, and the bridge assumes that it obeyed
    ]


def test_a_zigbee_network_without_availability_can_be_told_after_a_restart() -> None:
    rig = Rig(SAMPLES["zigbee2mqtt"].convention)
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices())
    key, links = networks.key_of("bulb_color"), []
    for topic, payload in (
        ("bridge/state", "offline"),
        ("bridge/state", "online"),
        ("bulb_color", '{"state":"ON"}'),
    ):
        rig.recv(f"zigbee2mqtt/{topic}", payload)
        links.append(rig.link(key))

    assert links == [Link.OFFLINE, Link.STALE, Link.ONLINE]
    assert rig.bindings[key].vouched(rig.memories[key], rig.now_ms) is None


def test_a_homie_device_is_silent_while_it_starts_and_told_nothing_while_it_sleeps() -> None:
    rig = Rig(SAMPLES["homie"].convention)
    for topic, payload in SAMPLES["homie"].announced:
        rig.recv(topic, payload)
    rig.recv("homie/5/key-light/$state", "init")
    rig.recv("homie/5/key-light/light/power", "true")
    starting = (rig.link(), dict(rig.state()))
    rig.recv("homie/5/key-light/$state", "ready")
    ready = (rig.link(), dict(rig.state()))
    rig.recv("homie/5/key-light/$state", "sleeping")

    assert starting == (Link.UNKNOWN, {})
    assert ready == (Link.ONLINE, {"power": True})
    with pytest.raises(BadState):
        rig.command({"power": False})


def test_an_availability_of_its_own_is_not_enough_without_the_bridge() -> None:
    rig = Rig(SAMPLES["zigbee2mqtt"].convention)
    rig.recv("zigbee2mqtt/bridge/devices", networks.devices())
    rig.recv("zigbee2mqtt/bulb_color/availability", "online")

    assert rig.link(networks.key_of("bulb_color")) is Link.UNKNOWN


def test_a_device_that_moves_its_availability_is_unknown_until_it_speaks_there(lamp: Rig) -> None:
    lamp.recv(LWT, "Online")
    lamp.recv(*tasmota(tp=["cmnd", "stat", "tele2"]))
    binding, memory = lamp.bindings[lamp.key], lamp.memories[lamp.key]
    moved = binding.vouched(memory, lamp.now_ms)
    lamp.recv("tele2/tasmota_49A3BC/LWT", "Online")

    assert moved is None
    assert binding.vouched(lamp.memories[lamp.key], lamp.now_ms) is not None
