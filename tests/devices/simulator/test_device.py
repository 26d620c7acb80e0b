"""A simulated device obeys the wb1 contract, whatever it is told."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain import codec, messages
from devices.edge.packets import Message
from devices.simulator.device import SimDevice
from devices.simulator.plan import Spec
from devices.simulator.room import Room

NOW = 1_790_000_000_000


def room() -> Room:
    return Room("F2-S01", random.Random(1))


def device(
    kind: str = "light", model: str = "LT-KEY-160", *, into: Room | None = None
) -> SimDevice:
    spec = Spec("D1", kind, "key", model, "F2-S01", 160.0)
    made = SimDevice(spec, into or room(), random.Random(2))
    made.boot(NOW)
    return made


def order(state: dict[str, Any], **changes: Any) -> Message:
    body = {"id": "C1", "exp": NOW + 10_000, "op": "set", "state": state}
    retain = changes.pop("retain", False)
    return Message("wb1/d/D1/cmd", json.dumps(body | changes).encode(), 1, retain)


def said(out: list[Message]) -> list[messages.Incoming]:
    return [codec.decode(m.topic, m.payload) for m in out]


def acks(out: list[Message]) -> list[tuple[str, str]]:
    return [(m.st, m.code) for m in said(out) if isinstance(m, messages.Ack)]


def runs(out: list[Message]) -> list[str]:
    return [m.state["run"] for m in said(out) if isinstance(m, messages.State)]


def run_until(it: SimDevice, until_ms: int) -> list[Message]:
    """Tick at each moment the device asks for."""
    out: list[Message] = []
    while (at := it.next_ms()) <= until_ms:
        out += it.tick(at)
    return out


def test_boot_says_status_meta_and_state_retained() -> None:
    out = device().announce(NOW)

    assert [m.topic.rsplit("/", 1)[1] for m in out] == ["$status", "$meta", "state"]
    assert all(m.retain and m.qos == 1 for m in out)
    assert [type(m) for m in said(out)] == [messages.Status, messages.Meta, messages.State]


def test_a_command_is_accepted_then_done_with_the_state_it_caused() -> None:
    light = device()

    first = light.receive(order({"power": True, "brightness": 70}), NOW)
    later = said(run_until(light, NOW + 2000))

    assert acks(first) == [("accepted", "")]
    (state,) = [m for m in later if isinstance(m, messages.State)]
    (done,) = [m for m in later if isinstance(m, messages.Ack)]
    assert (state.cause, state.state["brightness"], state.v) == ("C1", 70, 2)
    assert (done.st, done.v) == ("done", 2)


def test_a_command_delivered_twice_is_carried_out_once() -> None:
    light = device()
    light.receive(order({"power": True}), NOW)
    during = light.receive(order({"power": True}), NOW + 1)
    run_until(light, NOW + 2000)

    after = light.receive(order({"power": True}), NOW + 3000)

    assert acks(during) == [("accepted", "")]
    assert acks(after) == [("duplicate", "")]
    assert light.version == 2


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (order({"power": True}, retain=True), ("rejected", "retained")),
        (order({"power": True}, exp=NOW), ("expired", "")),
        (order({"power": True}, if_v=7), ("rejected", "version")),
        (order({"power": True}, op="reboot"), ("rejected", "unknown_op")),
        (order({"brightness": 101}), ("rejected", "bad_state")),
        (order({"power": 1}), ("rejected", "bad_state")),
        (order({"colour": "red"}), ("rejected", "bad_state")),
        (order({}), ("rejected", "bad_state")),
    ],
)
def test_refuses_with_a_reason(message: Message, answer: tuple[str, str]) -> None:
    light = device()

    assert acks(light.receive(message, NOW)) == [answer]
    assert light.state["power"] is False


def test_sensors_take_no_commands() -> None:
    assert acks(device("sensor", "SEN-ENV").receive(order({"power": True}), NOW)) == [
        ("rejected", "not_controllable")
    ]


def test_a_newer_command_supersedes_one_still_under_way() -> None:
    light = device()
    light.receive(order({"brightness": 10, "fade_ms": 5000}), NOW)

    second = light.receive(order({"brightness": 90, "fade_ms": 0}, id="C2"), NOW + 100)
    run_until(light, NOW + 9000)

    assert acks(second) == [("failed", "superseded"), ("accepted", "")]
    assert light.state["brightness"] == 90


def test_an_encoder_starts_within_two_seconds_and_stops_by_itself_at_until() -> None:
    encoder = device("encoder", "ENC-1CH")
    encoder.receive(order({"run": "live", "until": NOW + 60_000}), NOW)

    early = runs(run_until(encoder, NOW + 2100))
    later = runs(run_until(encoder, NOW + 61_000))

    assert early == ["starting", "live"]
    assert later == ["stopping", "stopped"]


def test_a_later_until_keeps_the_stream_running() -> None:
    encoder = device("encoder", "ENC-1CH")
    encoder.receive(order({"run": "live", "until": NOW + 60_000}), NOW)
    run_until(encoder, NOW + 3000)

    encoder.receive(order({"run": "live", "until": NOW + 90_000}, id="C2"), NOW + 4000)
    run_until(encoder, NOW + 70_000)
    assert encoder.state["run"] == "live"

    run_until(encoder, NOW + 91_000)
    assert encoder.state["run"] == "stopped"


def test_a_camera_closes_by_itself_at_until_and_not_before() -> None:
    camera = device("camera", "CAM-PTZ")
    opened = {"power": True, "privacy": False, "tally": "program", "until": NOW + 60_000}
    camera.receive(order(opened), NOW)

    run_until(camera, NOW + 59_000)
    before = camera.state["privacy"]
    run_until(camera, NOW + 61_000)

    assert (before, camera.state["privacy"], camera.state["tally"]) == (False, True, "off")
    assert camera.state["until"] == 0


def test_a_camera_that_was_closed_early_does_not_close_the_next_show() -> None:
    camera = device("camera", "CAM-PTZ")
    camera.receive(order({"privacy": False, "until": NOW + 60_000}), NOW)
    run_until(camera, NOW + 1000)
    camera.receive(order({"privacy": True}, id="C2"), NOW + 2000)
    run_until(camera, NOW + 3000)

    camera.receive(order({"privacy": False}, id="C3"), NOW + 4000)
    run_until(camera, NOW + 90_000)

    assert camera.state["privacy"] is False


def test_a_live_encoder_measures_every_two_seconds() -> None:
    encoder = device("encoder", "ENC-1CH")
    encoder.receive(order({"run": "live"}), NOW)

    out = said(run_until(encoder, NOW + 22_500))

    tele = [m for m in out if isinstance(m, messages.Tele) and "kbps" in m.metrics]
    assert 9 <= len(tele) <= 11
    assert all(4000 < t.metrics["kbps"] < 8000 for t in tele)


def test_the_meter_integrates_what_the_room_draws() -> None:
    shared = room()
    meter, light = device("power_meter", "PM-1P", into=shared), device(into=shared)
    shared.advance(NOW)
    light.receive(order({"power": True, "brightness": 100, "fade_ms": 0}), NOW)
    run_until(light, NOW + 100)
    before, drawn = shared.energy_wh, shared.power_w

    run_until(meter, NOW + 3_600_100)
    shared.advance(NOW + 3_600_100)

    assert drawn == pytest.approx(160 + 160)
    assert shared.energy_wh - before == pytest.approx(drawn, rel=0.01)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_answered_and_change_nothing(payload: bytes, retained: bool) -> None:
    light = device()

    out = light.receive(Message("wb1/d/D1/cmd", payload, 1, retained), NOW)

    assert said(out)
    assert light.version == 1
