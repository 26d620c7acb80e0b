"""Runs recorded vectors against a convention: messages in, commands out, entities compared.

A vector is a list of steps: `recv` a message, `command` an entity, `advance_s`, `broker`
connect or disconnect, `camera_image`. `World` stands for the bridge and the registry; another one
that goes through real ones can be put in its place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from base_ops.core.errors import DomainError
from devices.domain import messages
from devices.domain.conventions.convention import About, Announcement, Convention, Memory
from devices.domain.conventions.homeassistant import HomeAssistant
from devices.domain.conventions.homeassistant.binding import HomeAssistantDevice, View
from devices.domain.conventions.refusal import CodecError
from tests.devices.conventions import comparing
from tests.devices.conventions.wishes import wish

FOLDER = Path(__file__).parents[2] / "vectors" / "devices"
START_MS = 1_780_000_000_000


def load(name: str) -> list[dict[str, Any]]:
    """The vectors of a file."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def payload_of(recv: Mapping[str, Any]) -> bytes:
    """The bytes of a `recv`."""
    if "payload_hex" in recv:
        return bytes.fromhex(recv["payload_hex"])
    payload = recv["payload"]
    return (payload if isinstance(payload, str) else json.dumps(payload)).encode()


@dataclass
class Bound:
    """A device of the world."""

    binding: HomeAssistantDevice
    memory: Memory


class World:
    """Keeps announcements and memories as the registry and the bridge do, in memory."""

    def __init__(self) -> None:
        self.convention: Convention = HomeAssistant()
        self.now_ms = START_MS
        self.rows: dict[str, dict[str, tuple[Mapping[str, Any], About]]] = {}
        self.devices: dict[str, Bound] = {}
        self.pictures: dict[str, bytes] = {}
        self.connected = True

    def recv(self, topic: str, payload: bytes, *, retained: bool) -> comparing.Result:
        """Deliver a message."""
        result = comparing.Result()
        try:
            announcement = self.convention.discover(topic, payload, retained=retained)
        except CodecError as exc:
            result.refused.append(f"{exc.reason} {exc}")
            return result
        if announcement is not None:
            self._announced(announcement)
            return result
        for key, bound in self.devices.items():
            self._heard(key, bound, topic, payload, retained, result)
        return result

    def _announced(self, announcement: Announcement) -> None:
        if announcement.moving:
            return
        before = self.rows.pop(announcement.topic, {})
        if announcement.devices:
            self.rows[announcement.topic] = {
                one.key: (json.loads(json.dumps(one.document)), one.about)
                for one in announcement.devices
            }
        for key in sorted(before.keys() | {one.key for one in announcement.devices}):
            self._bind(key)

    def _bind(self, key: str) -> None:
        documents = {topic: row[key][0] for topic, row in self.rows.items() if key in row}
        if not documents:
            del self.devices[key]
            return
        binding = HomeAssistantDevice(documents, key)
        old = self.devices.get(key)
        memory = binding.resume(old.memory, self.now_ms) if old else binding.begin(self.now_ms)
        self.devices[key] = Bound(binding, memory)

    def _heard(
        self,
        key: str,
        bound: Bound,
        topic: str,
        payload: bytes,
        retained: bool,
        result: comparing.Result,
    ) -> None:
        try:
            heard = bound.binding.heard(
                bound.memory, topic, payload, retained=retained, now_ms=self.now_ms
            )
        except CodecError as exc:
            if exc.reason != "unknown-topic":
                result.refused.append(exc.reason)
            return
        bound.memory = json.loads(json.dumps(heard.memory))
        result.said += heard.said
        result.refused += [f"{fault.where}: {fault.why}" for fault in heard.faults]
        for camera, picture in bound.binding.pictures(topic, payload).items():
            self.pictures[camera] = picture

    def advance(self, seconds: float) -> comparing.Result:
        """Let time pass, as a timer of the bridge would."""
        result = comparing.Result()
        until = self.now_ms + round(seconds * 1000)
        for bound in self.devices.values():
            while (due := bound.binding.due_ms(bound.memory)) is not None and due <= until:
                heard = bound.binding.passed(bound.memory, due)
                bound.memory = heard.memory
                result.said += heard.said
        self.now_ms = until
        return result

    def broker(self, what: str) -> comparing.Result:
        """The line to the broker breaks or comes back."""
        self.connected = what == "connect"
        for bound in self.devices.values():
            if not self.connected:
                bound.memory = bound.binding.lost(bound.memory, self.now_ms).memory
        return comparing.Result()

    def command(self, entity: str, service: str, data: Mapping[str, Any]) -> comparing.Result:
        """Tell an entity."""
        platform, uid = entity.split("/", 1)
        result = comparing.Result()
        bound = next(b for b in self.devices.values() if _has(b, entity, self.now_ms))
        keys = bound.binding.keys_of(platform, uid)
        state = {keys.get(part, part): value for part, value in wish(service, data).items()}
        order = messages.Outgoing(
            "c1", "d", "set", state, datetime(2030, 1, 1, tzinfo=UTC), None, "t", None
        )
        try:
            result.published = list(bound.binding.encode(bound.memory, order, self.now_ms))
        except DomainError as exc:
            result.command_refused = f"{exc} {exc.fields}"
            return result
        bound.memory = bound.binding.sent(bound.memory, order, self.now_ms).memory
        return result

    def about(self) -> dict[str, About]:
        """All devices by key."""
        return {key: about for row in self.rows.values() for key, (_, about) in row.items()}

    def views(self) -> dict[str, View]:
        """All entities by `platform/uid`."""
        return {
            f"{view.platform}/{view.uid}": view
            for bound in self.devices.values()
            for view in bound.binding.views(bound.memory, self.now_ms)
        }


def _has(bound: Bound, entity: str, now_ms: int) -> bool:
    views = bound.binding.views(bound.memory, now_ms)
    return any(f"{v.platform}/{v.uid}" == entity for v in views)


def run(vector: Mapping[str, Any], world: World, ours: Mapping[int, Mapping[str, Any]]) -> None:
    """Run all steps; `ours` replaces the expectation of single steps. Raises AssertionError."""
    for number, step in enumerate(vector["steps"]):
        expect = {**step["expect"], **ours.get(number, {})}
        before = {key: comparing.plain(view) for key, view in world.views().items()}
        result = _do(step, world)
        where = f"{vector['id']}, step {number}: {json.dumps(step)[:300]}"
        comparing.check(expect, before, result, world, where)


def _do(step: Mapping[str, Any], world: World) -> comparing.Result:
    if "recv" in step:
        recv = step["recv"]
        return world.recv(
            recv["topic"], payload_of(recv), retained=bool(recv.get("retain", False))
        )
    if "command" in step:
        return world.command(**{k: step["command"][k] for k in ("entity", "service", "data")})
    if "advance_s" in step:
        return world.advance(step["advance_s"])
    if "broker" in step:
        return world.broker(step["broker"])
    assert "camera_image" in step
    return comparing.Result()
