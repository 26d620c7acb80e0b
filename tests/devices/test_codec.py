"""Any bytes on any topic are a message or a counted refusal; nothing else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain import codec, messages
from devices.domain.conventions import plain

STATE = {"v": 3, "session": "b1", "ts": 1_790_000_000_000, "state": {"power": True}}
LEAVES = ("$status", "$meta", "state", "tele", "event", "ack", "cmd")


def reason(topic: str, payload: bytes, *, retained: bool = False) -> str:
    with pytest.raises(codec.CodecError) as caught:
        codec.decode(topic, payload, retained=retained)
    return caught.value.reason


def test_reads_each_kind_of_message() -> None:
    def read(leaf: str, body: dict[str, Any], **more: bool) -> messages.Incoming:
        return codec.decode(f"wb1/d/F1-LT01/{leaf}", json.dumps(body).encode(), **more)

    assert read("$status", {"online": False, "session": "b1", "ts": 5}, retained=True) == (
        messages.Status("F1-LT01", False, "b1", 5, retained=True)
    )
    assert read("state", STATE | {"cause": "C1"}) == messages.State(
        "F1-LT01", 3, "b1", 1_790_000_000_000, {"power": True}, "C1"
    )
    assert read("tele", {"ts": 1, "m": {"kbps": 5000}}) == messages.Tele(
        "F1-LT01", 1, {"kbps": 5000.0}
    )
    assert read("ack", {"id": "C1", "st": "done", "v": 4}) == messages.Ack(
        "F1-LT01", "C1", "done", "", 4
    )
    assert read("event", {"ts": 1, "name": "door", "data": {"open": True}}) == messages.Event(
        "F1-LT01", 1, "door", {"open": True}
    )
    assert read("$meta", {"kind": "light", "model": "LT-KEY-160"}) == messages.Meta(
        "F1-LT01", "light", "LT-KEY-160"
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "empty"),
        (b"hello", "not-json"),
        (b"\xff\xfe\x00", "not-json"),
        (b'{"v":1', "not-json"),
        (b'{"v":1,"session":"\xff","ts":1,"state":{}}', "not-json"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":NaN}}', "not-json"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":-Infinity}}', "not-json"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":1e400}}', "wrong-shape"),
        (b'{"v":2147483648,"session":"a","ts":1,"state":{}}', "wrong-shape"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":"\\u0000"}}', "wrong-shape"),
        (b'{"v":1,"session":"a","ts":1,"state":{"\\u0000":1}}', "wrong-shape"),
        (b'{"v":1,"session":"\\u0000","ts":1,"state":{}}', "not-json"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":"\\ud800"}}', "not-json"),
        (b'{"v":1,"session":"a","ts":1,"state":{"x":123456789012345678901234}}', "wrong-shape"),
        (b'{"v":true,"session":"a","ts":1,"state":{}}', "wrong-shape"),
        (b'{"v":1.5,"session":"a","ts":1,"state":{}}', "wrong-shape"),
        (b'{"v":-1,"session":"a","ts":1,"state":{}}', "wrong-shape"),
        (b'{"v":1,"session":"a","ts":1,"state":[]}', "wrong-shape"),
        (b'{"v":1,"session":"","ts":1,"state":{}}', "wrong-shape"),
        (b"[]", "wrong-shape"),
        (b"null", "wrong-shape"),
        (b"[" * 60_000, "wrong-shape"),
        (b"x" * 2_000_000, "too-long"),
    ],
)
def test_refuses_what_it_cannot_hold(payload: bytes, expected: str) -> None:
    assert reason("wb1/d/A/state", payload) == expected


def test_refuses_deep_nesting() -> None:
    for depth in (100, 20_000):
        nested = b'{"v":1,"session":"a","ts":1,"state":{"x":' + b"[" * depth + b"]" * depth + b"}}"
        assert reason("wb1/d/A/state", nested) in ("wrong-shape", "not-json")


def test_refuses_topics_that_are_not_its_own() -> None:
    body = json.dumps(STATE).encode()

    assert reason("wb1/d/A/other", body) == "unknown-topic"
    assert reason("wb1/d/A", body) == "unknown-topic"
    assert reason("wb1/x/A/state", body) == "unknown-topic"
    assert reason("elsewhere", body) == "unknown-topic"
    assert reason("wb1/d/A B/state", body) == "bad-device-id"
    assert reason(f"wb1/d/{'A' * 65}/state", body) == "bad-device-id"


def test_refuses_commands_of_others_and_retained_facts() -> None:
    assert reason("wb1/d/A/cmd", b"{}", retained=True) == "retained-command"
    assert reason("wb1/d/A/cmd", b"{}") == "foreign-command"
    assert reason("wb1/d/A/tele", b'{"ts":1,"m":{"a":1}}', retained=True) == "retained-event"
    assert reason("wb1/d/A/ack", b'{"id":"C","st":"done"}', retained=True) == "retained-event"


def test_numbers_of_telemetry_are_numbers() -> None:
    for value in ("true", '"5"', "null", "[1]", "1e999"):
        assert reason("wb1/d/A/tele", b'{"ts":1,"m":{"a":%s}}' % value.encode()) == "wrong-shape"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("v", "session", "ts", "state", "cause", "online", "m", "name", "data", "id", "st"),
        json_values,
    ),
)


@given(
    st.text() | st.sampled_from([f"wb1/d/A/{leaf}" for leaf in LEAVES]),
    st.binary(max_size=300) | bodies.map(lambda b: json.dumps(b).encode()),
    st.booleans(),
)
def test_any_bytes_are_a_message_or_a_known_refusal(
    topic: str, payload: bytes, retained: bool
) -> None:
    answer: object
    try:
        answer = codec.decode(topic, payload, retained=retained)
    except codec.CodecError as refused:
        answer = refused.reason

    assert answer in get_args(codec.Reason) or isinstance(answer, get_args(messages.Incoming))


@given(json_values)
def test_an_accepted_state_is_plain_utf8_without_nul(value: Any) -> None:
    payload = json.dumps(STATE | {"state": {"x": value}}).encode()
    try:
        message = codec.decode("wb1/d/A/state", payload)
    except codec.CodecError:
        return

    assert isinstance(message, messages.State)
    kept = json.dumps(message.state, allow_nan=False, ensure_ascii=False).encode()
    assert b"\\u0000" not in kept.replace(b"\\\\", b"")
    assert plain.is_plain(dict(message.state))


def test_a_command_carries_its_expiry_and_where_to_answer() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    command = messages.Outgoing(
        id="01JDXYZ",
        device="F1-LT01",
        op="set",
        state={"power": True, "until": 5},
        expires_at=now + timedelta(seconds=9.2),
        if_v=None,
        actor="user:7",
        booking="BK1",
    )

    sent = codec.encode(command)

    assert sent.topic == "wb1/d/F1-LT01/cmd"
    assert json.loads(sent.payload) == {
        "id": "01JDXYZ",
        "exp": 1795406409200,
        "op": "set",
        "state": {"power": True, "until": 5},
        "actor": "user:7",
        "booking": "BK1",
    }
    assert sent.response_topic == "wb1/d/F1-LT01/ack"
    assert sent.correlation == b"01JDXYZ"
    assert sent.lifetime_s(now) == 10
    assert sent.lifetime_s(now + timedelta(seconds=10)) == 0


def test_a_command_of_a_right_carries_its_fence() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    fence = messages.Fence(grant=7, epoch=3, until=now)
    command = messages.Outgoing("C1", "D1", "set", {"power": True}, now, None, "u", None, fence)

    sent = codec.encode(command)

    assert json.loads(sent.payload)["fence"] == {
        "grant": 7,
        "epoch": 3,
        "until": 1795406400000,
    }
