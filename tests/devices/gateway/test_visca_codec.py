"""The VISCA codec against published byte sequences, and against any bytes at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.gear import visca, visca_ip
from devices.domain.gear.visca import Ack, Completion, Data, Fault, Notice, Why
from devices.domain.gear.visca_ip import Frame, Kind

VECTORS = Path(__file__).parents[2] / "vectors" / "devices"
DIRECTIONS: tuple[tuple[str, visca.Horizontal, visca.Vertical], ...] = (
    ("up", "stop", "up"),
    ("down", "stop", "down"),
    ("left", "left", "stop"),
    ("right", "right", "stop"),
    ("upleft", "left", "up"),
    ("upright", "right", "up"),
    ("downleft", "left", "down"),
    ("downright", "right", "down"),
    ("stop", "stop", "stop"),
)
COMMANDS = {
    "power_on": visca.power(on=True),
    "power_standby": visca.power(on=False),
    "zoom_tele": visca.zoom_tele(),
    "zoom_wide": visca.zoom_wide(),
    "zoom_stop": visca.zoom_drive(0),
    "focus_auto": visca.focus_auto(on=True),
    "focus_manual": visca.focus_auto(on=False),
    "focus_far": visca.focus_far(),
    "focus_near": visca.focus_near(),
    "focus_stop": visca.focus_stop(),
    "preset_set_5": visca.preset_set(5),
    "preset_recall_5": visca.preset_recall(5),
    "home": visca.home(),
    **{
        f"pt_{name}_speed_12_10": visca.drive(h, v, pan_speed=12, tilt_speed=10)
        for name, h, v in DIRECTIONS
    },
}
REPLIES = {
    "9041ff": [Ack(1)],
    "9051ff": [Completion(1)],
    "9041ff9051ff": [Ack(1), Completion(1)],
    "906002ff": [Fault(0, Why.SYNTAX)],
    "906003ff": [Fault(0, Why.BUFFER_FULL)],
    "906141ff": [Fault(1, Why.NOT_EXECUTABLE)],
    "a038ff": [Notice(b"\x38")],
    "905003ff": [Data(b"\x03")],
}


def steps(name: str, vector: str) -> list[dict[str, Any]]:
    vectors = json.loads((VECTORS / f"{name}.json").read_text())
    found: list[dict[str, Any]] = next(v["steps"] for v in vectors if v["id"] == vector)
    return found


@pytest.mark.parametrize(
    "step", steps("native_visca", "visca_commands"), ids=lambda s: str(s["command"])
)
def test_commands_are_byte_exact(step: dict[str, Any]) -> None:
    assert COMMANDS[step["command"]].hex() == step["expect"]["bytes_hex"]


@pytest.mark.parametrize(
    "step", steps("native_visca", "visca_replies"), ids=lambda s: str(s["reply_hex"])
)
def test_replies_are_told_apart(step: dict[str, Any]) -> None:
    messages = visca.Splitter().feed(bytes.fromhex(step["reply_hex"]))

    assert [visca.read_reply(m) for m in messages] == REPLIES[step["reply_hex"]]


def test_frames_over_ip_are_byte_exact() -> None:
    power, zoom, reset, ack = steps("native_visca_over_ip", "visca_over_ip_framing")

    sent = visca_ip.encode(Frame(Kind.COMMAND, power["seq"], visca.power(on=True)))
    asked = visca_ip.encode(Frame(visca_ip.kind_of(visca.ZOOM), zoom["seq"], visca.ZOOM))

    assert sent.hex() == power["expect"]["udp_hex"]
    assert asked.hex() == zoom["expect"]["udp_hex"]
    assert visca_ip.reset().hex() == reset["expect"]["udp_hex"]
    answer = visca_ip.decode(bytes.fromhex(ack["reply_udp_hex"]))
    assert (answer.kind, answer.number) == (Kind.REPLY, 1)
    assert visca.read_reply(answer.payload) == Ack(1)


@given(st.integers(-0x8000, 0x7FFF), st.integers(-0x8000, 0x7FFF))
def test_positions_come_back_as_they_went(pan: int, tilt: int) -> None:
    sent = visca.point(pan, tilt, pan_speed=1, tilt_speed=1)

    assert visca.read_pan_tilt(sent[6:-1]) == (pan, tilt)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read, refusal in (
        (visca.read_reply, visca.BadReply),
        (visca_ip.decode, visca_ip.BadFrame),
        (visca.read_pan_tilt, visca.BadReply),
        (visca.read_position, visca.BadReply),
    ):
        try:
            read(data)
        except refusal:
            continue


def test_a_stream_without_an_end_is_refused() -> None:
    splitter = visca.Splitter()

    with pytest.raises(visca.BadReply):
        list(splitter.feed(b"\x90" * 100))
