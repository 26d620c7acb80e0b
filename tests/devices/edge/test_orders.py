"""What holds for every wb1 device: orders once, in time, and within the right they rest on."""

import json
from typing import Any

import msgspec
import pytest

from devices.edge.orders import REMEMBERED, Answer, Memory
from devices.edge.packets import Message
from devices.edge.voice import Voice

NOW = 1_790_000_000_000
HOUR = 3_600_000


def voice(**options: Any) -> Voice:
    made = Voice(code="D1", kind="camera", model="CAM-PTZ", **options)
    made.boot("s1")
    return made


def order(number: int = 1, *, state: Any = None, **changes: Any) -> Message:
    body = {"id": f"C{number}", "exp": NOW + 5000, "op": "set", "state": state or {"power": True}}
    return Message("wb1/d/D1/cmd", json.dumps(body | changes).encode(), 1)


def fence(epoch: int = 1, *, grant: int = 7, until: int = NOW + HOUR) -> dict[str, int]:
    return {"grant": grant, "epoch": epoch, "until": until}


def said(out: list[Message]) -> list[tuple[str, str]]:
    bodies = [json.loads(m.payload) for m in out]
    return [(body["st"], body.get("code", "")) for body in bodies]


def test_an_order_of_a_right_that_has_ended_is_not_begun() -> None:
    begun, out = voice().admit(order(fence=fence(until=NOW)), NOW)

    assert begun is None
    assert said(out) == [("expired", "right_ended")]


def test_an_order_of_the_last_moment_of_a_right_is_begun() -> None:
    begun, out = voice().admit(order(fence=fence(until=NOW + 1)), NOW)

    assert begun is not None
    assert out == []


def test_an_order_of_an_earlier_epoch_is_refused_once_a_later_one_came() -> None:
    device = voice()
    device.admit(order(1, fence=fence(2)), NOW)

    old, out = device.admit(order(2, fence=fence(1)), NOW)
    again, _ = device.admit(order(3, fence=fence(2)), NOW)
    other, _ = device.admit(order(4, fence=fence(1, grant=8)), NOW)

    assert old is None
    assert said(out) == [("rejected", "fenced")]
    assert again is not None
    assert other is not None


def test_what_was_done_and_fenced_survives_a_restart() -> None:
    before = voice()
    before.admit(order(1, fence=fence(3)), NOW)
    before.settle(Answer("C1", "done", v=2))
    kept = json.loads(json.dumps(before.memory.dump()))

    after = voice(memory=Memory.load(kept))
    _, repeated = after.admit(order(1, fence=fence(3)), NOW)
    _, fenced = after.admit(order(2, fence=fence(2)), NOW)

    assert said(repeated) == [("duplicate", "")]
    assert said(fenced) == [("rejected", "fenced")]


@pytest.mark.parametrize("kept", [{"answers": 7}, {"answers": [{"st": "done"}]}, {"epochs": {}}])
def test_a_spoilt_memory_is_named_as_such(kept: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        Memory.load(kept)


def test_memory_is_bounded() -> None:
    memory = Memory()
    for number in range(3 * REMEMBERED):
        memory.keep(Answer(f"C{number}", "done"))

    kept = memory.dump()

    assert len(kept["answers"]) == REMEMBERED
    assert memory.recall("C0") is None
    assert memory.recall(f"C{3 * REMEMBERED - 1}") is not None


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ({"pan": 0.5, "deadman_ms": 300}, []),
        ({"pan": 1.5}, [("rejected", "bad_state")]),
        ({"pan": 0.1, "deadman_ms": 1001}, [("rejected", "bad_state")]),
        ({"pan": 0.1, "roll": 1}, [("rejected", "bad_state")]),
        ({"deadman_ms": 300}, [("rejected", "bad_state")]),
    ],
)
def test_a_drive_is_bounded_in_speed_and_in_time(
    state: dict[str, Any], answer: list[tuple[str, str]]
) -> None:
    device = voice(ops=frozenset({"set", "move"}))

    _, out = device.admit(order(op="move", state=state), NOW)

    assert said(out) == answer


def test_a_device_that_cannot_drive_says_so() -> None:
    _, out = voice().admit(order(op="move", state={"pan": 0.5}), NOW)

    assert said(out) == [("rejected", "unknown_op")]


def test_what_was_under_way_at_a_restart_has_failed() -> None:
    before = Memory()
    before.keep(Answer("C1", "accepted"))

    after = Memory.load(before.dump())

    assert after.recall("C1") == Answer("C1", "failed", "interrupted")
