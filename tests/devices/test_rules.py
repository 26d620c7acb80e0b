"""The pure rules: worked examples, then properties."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.spans import Span
from devices.domain import (
    alarms,
    capabilities,
    commands,
    energy,
    interlock,
    ready,
    scenes,
    shadow,
    ulid,
)
from devices.domain.commands import Status
from devices.domain.energy import Reading
from devices.domain.messages import State
from devices.domain.scenes import Scene, Target, Wish
from devices.domain.shadow import Link

NOW = datetime(2026, 9, 15, 7, tzinfo=UTC)
MODELS = {
    "light": "LT-KEY-160",
    "camera": "CAM-PTZ",
    "encoder": "ENC-PC",
    "access": "DOOR-QR",
    "audio": "AUD-WL2",
    "sensor": "SEN-ENV",
    "hvac": "HVAC-FCU",
    "monitor": "MON-27",
}


def target(kind: str, role: str = "key", **expected: Any) -> Target:
    return Target(f"{kind}-{role}", kind, role, MODELS[kind], expected)


def test_prepare_lights_by_role_and_leaves_house_lights_and_sensors_alone() -> None:
    room = [target("light", role) for role in ("key", "fill", "rim", "house")]

    steps = scenes.plan(Scene.PREPARE, [*room, target("sensor", "environment")])

    assert {s.code: s.state["brightness"] for s in steps} == {
        "light-key": 80,
        "light-fill": 60,
        "light-rim": 40,
    }
    assert all(s.state["cct"] == 5600 for s in steps)


def test_on_air_ends_with_the_encoder_and_wrap_begins_with_it() -> None:
    room = [target(k, "stream" if k == "encoder" else "main") for k in MODELS if k != "sensor"]

    into = [s.code for s in scenes.plan(Scene.ON_AIR, room, Wish(until=NOW, target_ref="x"))]
    out = [s.code for s in scenes.plan(Scene.WRAP, room)]

    assert into[-2:] == ["access-main", "encoder-stream"]
    assert out[:2] == ["encoder-stream", "access-main"]
    assert "light-main" in out[2:]


def test_what_is_shown_has_an_end_and_so_has_the_picture_before_the_show() -> None:
    room = [target("camera", "main"), target("encoder", "stream")]
    wish = Wish(until=NOW, target_ref="x")

    on_air = [s.state.get("until") for s in scenes.plan(Scene.ON_AIR, room, wish)]
    ready = [s.state.get("until") for s in scenes.plan(Scene.PREPARE, room, wish)]

    assert on_air == [round(NOW.timestamp() * 1000)] * 2
    assert ready == [round(NOW.timestamp() * 1000), None]


def test_wrap_parks_a_ptz_and_closes_a_camera_that_cannot_move() -> None:
    ptz = target("camera", "main")
    fixed = Target("fixed", "camera", "main", "CAM-MIRRORLESS", {})

    by_code = {s.code: s.state for s in scenes.plan(Scene.WRAP, [ptz, fixed])}

    closed = {"power": True, "privacy": True, "tally": "off"}
    assert by_code["camera-main"] == closed | {"pan": 0, "tilt": 0, "zoom": 0}
    assert by_code["fixed"] == closed


@pytest.mark.parametrize("scene", [Scene.WRAP, Scene.OFF])
@pytest.mark.parametrize("role", ["stream", "backup-stream", "graphics", "spare-encoder"])
def test_the_end_clears_the_target_of_every_encoder(scene: Scene, role: str) -> None:
    encoder = target("encoder", role, run="stopped", target_ref="secret-of-the-last")

    (step,) = scenes.plan(scene, [encoder])

    assert step.state == {"target_ref": None}


values = st.one_of(st.booleans(), st.integers(0, 100), st.sampled_from(["live", "stopped", "off"]))
targets = st.builds(
    lambda kind, role, expected: Target(f"{kind}-{role}", kind, role, MODELS[kind], expected),
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(["key", "house", "stream", "backup-stream", "main"]),
    st.dictionaries(st.sampled_from(["power", "run", "privacy", "brightness"]), values),
)


@given(st.sampled_from(Scene), st.lists(targets, unique_by=lambda t: t.code, max_size=8))
def test_a_plan_is_least_allowed_and_reaches_its_end(scene: Scene, room: list[Target]) -> None:
    steps = {s.code: s.state for s in scenes.plan(scene, room)}

    for t in room:
        change = steps.get(t.code, {})
        if change:
            capabilities.check(change, kind=t.kind, model=t.model)
        assert all(k not in t.expected or t.expected[k] != v for k, v in change.items())
    after = [
        Target(t.code, t.kind, t.role, t.model, {**t.expected, **steps.get(t.code, {})})
        for t in room
    ]
    assert scenes.plan(scene, after) == []


states = st.builds(
    lambda session, v: State("d", v, f"s{session}", 1000 * session + v, {"v": v, "s": session}),
    st.integers(0, 3),
    st.integers(0, 20),
)


@given(st.lists(states, min_size=1, max_size=20))
def test_the_newest_state_wins_in_any_order_with_any_duplicates(said: list[State]) -> None:
    known = shadow.Shadow()

    for message in said:
        known = shadow.merge(known, message, now=NOW)

    newest = max(said, key=lambda m: m.ts)
    assert known.reported == newest.state


def test_what_a_broker_kept_is_no_sign_of_life() -> None:
    old = round((NOW - timedelta(minutes=5)).timestamp() * 1000)

    known = shadow.merge(shadow.Shadow(), State("d", 1, "s", old, {}, retained=True), now=NOW)

    assert known.last_seen_at == NOW - timedelta(minutes=5)
    assert shadow.link_at(known.link, known.last_seen_at, NOW) is Link.STALE


@pytest.mark.parametrize(
    ("kind", "state", "harmful"),
    [
        ("light", {"power": False}, True),
        ("light", {"brightness": 0}, True),
        ("light", {"brightness": 30}, False),
        ("camera", {"zoom": 0.5}, True),
        ("camera", {"tally": "off"}, False),
        ("camera", {"until": 10}, False),
        ("camera", {"until": 4}, True),
        ("encoder", {"run": "live", "until": 10}, False),
        ("encoder", {"run": "live", "until": 4}, True),
        ("encoder", {"run": "stopped"}, True),
        ("switcher", {"program_input": 2}, True),
        ("switcher", {"preview_input": 2}, False),
        ("access", {"locked": False}, False),
        ("access", {"on_air_sign": False}, True),
        ("hvac", {"power": False}, False),
    ],
)
def test_what_harms_a_show(kind: str, state: dict[str, Any], harmful: bool) -> None:
    reported = {"run": "live", "until": 5, "power": True}

    assert interlock.harms(kind, "set", state, reported) is harmful


def test_repeating_what_is_harms_nothing() -> None:
    assert not interlock.harms("light", "set", {"power": False}, {"power": False})


@given(st.sampled_from(Status), st.lists(st.sampled_from(["accepted", "done", "failed"])))
def test_an_ended_command_stays_as_it_ended(status: Status, acks: list[Any]) -> None:
    ended = False

    for ack in acks:
        before, status = status, commands.after_ack(status, ack)
        assert not ended or status is before
        ended = status in commands.ENDS


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=10))
def test_energy_of_parts_adds_up_to_the_whole(counters: list[float]) -> None:
    readings = [Reading(NOW + timedelta(minutes=n), wh) for n, wh in enumerate(counters)]
    whole = Span(readings[0].at, readings[-1].at)
    middle = NOW + whole.length / 3

    total = energy.consumed_wh(readings, whole)
    parts = [
        energy.consumed_wh(readings, Span(*ends))
        for ends in ((whole.start, middle), (middle, whole.end))
    ]

    assert total is not None
    assert total >= 0
    assert sum(p or 0 for p in parts) == pytest.approx(total)


def test_ulids_sort_by_birth_even_when_the_clock_runs_back() -> None:
    mint = ulid.Mint()

    born = [mint.new(at) for at in (5, 5, 4, 6, 6)]

    assert born == sorted(set(born))
    assert all(ulid.is_ulid(text) for text in born)


def test_a_level_between_good_and_bad_keeps_the_score() -> None:
    assert [alarms.uplink_is_bad({"rtt_ms": r}) for r in (50, 120, 160)] == [False, None, True]
    assert alarms.uplink_is_bad({"kbps": 1}) is None


def seen(kind: str, role: str, link: Link = Link.ONLINE, **reported: Any) -> ready.Seen:
    return ready.Seen(f"{kind}-{role}", kind, role, MODELS.get(kind, "X"), link, reported)


READY_ROOM = [
    seen("light", "key", power=True),
    seen("light", "house", Link.OFFLINE),
    seen("camera", "main", power=True, privacy=False),
    seen("encoder", "stream", run="stopped"),
]
UPLINK = [seen("network", "wan")]


def test_a_ready_room_is_green() -> None:
    assert ready.light(READY_ROOM, UPLINK) == ready.Ready(ok=True, reasons=())


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (seen("light", "key", power=False), "light_off"),
        (seen("light", "key", Link.STALE, power=True), "light_stale"),
        (seen("camera", "main", privacy=True), "camera_private"),
        (seen("encoder", "stream", run="error"), "encoder_error"),
        (seen("encoder", "stream", Link.OFFLINE, run="stopped"), "encoder_offline"),
        (seen("encoder", "stream", run="stopped", input_locked=False), "encoder_no_input"),
    ],
)
def test_each_thing_that_is_missing_is_named(spoilt: ready.Seen, code: str) -> None:
    room = [spoilt if d.code == spoilt.code else d for d in READY_ROOM]

    light = ready.light(room, UPLINK)

    assert (light.ok, [r["code"] for r in light.reasons]) == (False, [code])
    assert light.reasons[0]["device"] == spoilt.code


def test_without_uplink_or_encoder_a_room_is_red() -> None:
    light = ready.light(READY_ROOM[:3], [])

    assert [r["code"] for r in light.reasons] == ["no_encoder", "no_uplink"]


@pytest.mark.parametrize("value", [True, "80", None, float("nan"), float("inf"), -1, 101, [80]])
def test_brightness_refuses_what_is_not_a_percentage(value: object) -> None:
    with pytest.raises(capabilities.BadState):
        capabilities.check({"brightness": value}, kind="light")


def test_focus_and_rgb_take_their_shapes_only() -> None:
    capabilities.check({"focus": {"mode": "manual", "pos": 0.5}}, kind="camera", model="CAM-PTZ")
    capabilities.check({"rgb": [0, 128, 255]}, kind="light")
    wrong: list[object] = [{"mode": "manual"}, {"mode": "auto", "pos": 1}, [], "auto"]
    for bad in wrong:
        with pytest.raises(capabilities.BadState):
            capabilities.check({"focus": bad}, kind="camera", model="CAM-PTZ")
    with pytest.raises(capabilities.BadState):
        capabilities.check({"rgb": [255, 127]}, kind="light")
