"""kill -9 of each part: nothing acknowledged is lost, nothing happens twice or late.

The supervisor restarts what was killed; the tests look only through public doors.
"""

import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.flows.listening import Ear
from tests.flows.stack import Person, Stack
from tests.waiting import eventually

HEAL_S = 90.0
PARTS = ["web", "bridge", "jobs", "broker", "postgres"]
ENDED = {"done", "failed", "expired", "rejected"}
ROOM = "F2-V01"


class Spy:
    """Remembers every state that devices report, across restarts of the broker."""

    def __init__(self, port: int) -> None:
        self.states: dict[tuple[str, int], dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([("wb1/d/+/state", 1), ("wb1/d/+/cmd", 1)])

    def _message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        device = message.topic.split("/")[2]
        if message.topic.endswith("/state"):
            self.states[device, body["v"]] = body
        else:
            self.told.append(body)

    def effects(self, command: str) -> list[dict[str, Any]]:
        """The states that a command led to: at most one, however often it was delivered."""
        return [s for s in self.states.values() if s.get("cause") == command]

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def spy(stack: Stack) -> Iterator[Spy]:
    """An MQTT client beside the bridge."""
    spy = Spy(stack.mqtt_port())
    yield spy
    spy.close()


@pytest.mark.parametrize("part", PARTS)
def test_killing_a_part_loses_nothing_and_repeats_nothing(
    stack: Stack, spy: Spy, part: str
) -> None:
    stack.wait_ready(HEAL_S)
    manager = stack.sign_in("manager")
    light = _light(manager)
    wish = _wish(stack, manager, days=2 + PARTS.index(part))
    value = 20 + PARTS.index(part)

    booked = manager.post("/bookings", wish, key=f"kill-book-{part}")
    assert booked.status_code == 201, booked.text
    order = {"state": {"power": True, "brightness": value}}
    queued = manager.does(f"/devices/{light}/commands", order, status=202)
    killed = stack.kill(part)

    eventually(lambda: _reborn(stack, part, killed), timeout_s=HEAL_S)
    stack.wait_ready(HEAL_S)
    manager = stack.sign_in("manager")
    again = manager.post("/bookings", wish, key=f"kill-book-{part}")
    assert again.json()["code"] == booked.json()["code"]
    assert again.headers["Idempotency-Replayed"] == "true"
    ended = eventually(lambda: _ended(manager, queued["id"]), timeout_s=HEAL_S)
    _at_most_once_and_in_time(spy, ended)
    _still_works(stack, manager, light, value + 30)


def _light(manager: Person) -> str:
    devices = manager.get(f"/spaces/{ROOM}/devices")
    return next(str(d["code"]) for d in devices if d["kind"] == "light" and d["role"] != "house")


def _wish(stack: Stack, manager: Person, *, days: int) -> dict[str, Any]:
    """A free hour that many days from now, for some tenant."""
    tenant = manager.get("/tenants")[0]["code"]
    day = (stack.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    for hour in range(24):
        start = day + timedelta(hours=hour)
        window = {"from": start.isoformat(), "to": (start + timedelta(hours=1)).isoformat()}
        items = manager.get("/availability", **window, type="studio_voice")["items"]
        if free := [item for item in items if item["free"]]:
            return {
                "space": free[0]["space"],
                "tenant": tenant,
                "starts_at": window["from"],
                "ends_at": window["to"],
                "confirm": True,
            }
    raise LookupError("no free hour")


def _reborn(stack: Stack, part: str, killed: int) -> bool:
    try:
        return stack.pid(part) != killed
    except LookupError:
        return False


def _ended(manager: Person, command: str) -> dict[str, Any]:
    """The command once it has ended; empty before."""
    found: dict[str, Any] = manager.get(f"/commands/{command}")
    return found if found["status"] in ENDED else {}


def _at_most_once_and_in_time(spy: Spy, command: dict[str, Any]) -> None:
    """The device changed once and before the expiry, or never; the record says which."""
    effects = spy.effects(command["id"])
    assert len({e["v"] for e in effects}) <= 1, effects
    expires = datetime.fromisoformat(command["expires_at"]).timestamp() * 1000
    assert all(e["ts"] <= expires for e in effects), (effects, command)
    if command["status"] in {"expired", "rejected"}:
        assert effects == []


def _still_works(stack: Stack, manager: Person, light: str, value: int) -> None:
    """The whole way once more: request, device, dashboard."""
    ear = Ear.of(manager, f"space.{ROOM}")
    eventually(lambda: ear.value(f"space.{ROOM}", light), timeout_s=HEAL_S)

    def obeys() -> bool:
        queued = manager.does(
            f"/devices/{light}/commands", {"state": {"brightness": value}}, status=202
        )
        ended = eventually(lambda: _ended(manager, queued["id"]), timeout_s=HEAL_S)
        return bool(ended["status"] == "done")

    eventually(obeys, timeout_s=HEAL_S)
    eventually(
        lambda: ear.value(f"space.{ROOM}", light)["reported"]["brightness"] == value,
        timeout_s=HEAL_S,
    )
    assert ear.gaps == []
    ear.close()


def test_a_silent_bridge_makes_everything_stale_and_it_heals_by_itself(stack: Stack) -> None:
    stack.wait_ready(HEAL_S)
    manager = stack.sign_in("manager")
    ear = Ear.of(manager, "occ.ops")
    eventually(lambda: ear.value("occ.ops", ROOM), timeout_s=HEAL_S)
    bridge = stack.pid("bridge")

    os.kill(bridge, signal.SIGSTOP)
    try:
        stack.move_clock(stack.now() + timedelta(seconds=90))
        eventually(lambda: ear.value("occ.ops", ROOM)["devices"]["stale"] > 0, timeout_s=HEAL_S)
        assert stack.ready() is None
    finally:
        os.kill(bridge, signal.SIGCONT)

    eventually(lambda: ear.value("occ.ops", ROOM)["devices"]["stale"] == 0, timeout_s=HEAL_S)
    stack.wait_ready(HEAL_S)
    ear.close()
