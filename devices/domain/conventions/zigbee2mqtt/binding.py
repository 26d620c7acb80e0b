"""One Zigbee device or group behind a Zigbee2MQTT bridge."""

from collections.abc import Mapping
from typing import Any

import msgspec

from devices.domain import messages
from devices.domain.capabilities import Flag
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.brand import Brand, Told
from devices.domain.conventions.convention import Heard, Memory
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.plain import is_clean
from devices.domain.conventions.reading import json_object, json_value, number, text, topic
from devices.domain.conventions.refusal import CodecError
from devices.domain.conventions.zigbee2mqtt.exposes import Exposed, Lamp, Leaf

ALARMS = frozenset({"smoke", "tamper"})  # binary states whose rising edge is a fault


class Zigbee(Brand):
    """Hears whole states, tells partial ones."""

    def __init__(self, device: str, *, base: str, name: str, exposed: Exposed) -> None:
        self._base, self._name, self._exposed = topic(base, "base"), name, exposed
        self._topic = topic(f"{base}/{name}", "friendly_name")
        self._bridge, self._log = f"{base}/bridge/state", f"{base}/bridge/logging"
        super().__init__(
            device,
            topics=frozenset(
                {self._topic, f"{self._topic}/availability", self._bridge, self._log}
            ),
            via=f"{self._topic}/availability",
            table=exposed.table,
            reads=exposed.reads,
            silent=frozenset(exposed.silent),
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        if topic == self._topic:
            self._state(journal, json_object(payload))
        elif topic == self._bridge:
            self._presence(journal, "bridge", _is_online(payload))
        elif topic == self._via:
            self._presence(journal, "own", _is_online(payload))
        elif topic == self._log:
            self._logged(journal, payload)
        else:
            raise CodecError("unknown-topic")

    def _presence(self, journal: Journal, which: str, online: bool) -> None:
        """There when the bridge and the device's own availability both say so.

        A bridge alone vouches for no device, but it may be told: availability is off by default.
        """
        journal.memory[which] = online
        bridge, own = journal.memory.get("bridge"), journal.memory.get("own")
        if bridge is False or own is False:
            if journal.memory["online"] is not False:
                journal.went()
        elif own is True and bridge is True:
            journal.came(vouched=True)
        elif bridge is True:
            journal.believed()

    def lost(self, memory: Memory, now_ms: int) -> Heard:
        """The line to the broker broke: what was said of presence holds no more."""
        lost = super().lost(memory, now_ms)
        kept = {k: v for k, v in lost.memory.items() if k not in ("bridge", "own")}
        return Heard(kept, lost.said)

    def _state(self, journal: Journal, said: Mapping[str, Any]) -> None:
        report: dict[str, Any] = {}
        metrics: dict[str, float] = {}
        for one in self._exposed.lamps:
            report |= _lamp_state(journal, one, said)
        for prop, value in said.items():
            if leaf := self._exposed.leaves.get(prop):
                self._leaf(journal, leaf, value, report, metrics)
        before = dict(journal.state)
        journal.alive()
        journal.measured(metrics)
        if report:
            journal.report(report, near=lamp.near)
        self._events(journal, before, said, report)

    def _events(
        self,
        journal: Journal,
        before: Mapping[str, Any],
        said: Mapping[str, Any],
        report: Mapping[str, Any],
    ) -> None:
        """A button was pressed, an alarm began."""
        action = said.get("action")
        if isinstance(action, str) and action:
            journal.happened("action", {"action": action[:64]})
        for key in sorted(ALARMS & report.keys()):
            if report[key] is True and before.get(key) is not True:
                journal.happened(key, {})

    def _leaf(
        self,
        journal: Journal,
        leaf: Leaf,
        value: object,
        report: dict[str, Any],
        metrics: dict[str, float],
    ) -> None:
        if value is None:
            if not leaf.metric:
                report[leaf.key] = None
        elif leaf.metric:
            if (measured := number(value)) is None:
                journal.fault(leaf.prop, "bad-value", "not a finite number")
            else:
                metrics[leaf.metric] = measured * leaf.factor
        elif isinstance(leaf.rule, Flag):
            if value in (leaf.on, leaf.off):
                report[leaf.key] = value == leaf.on
            else:
                journal.fault(leaf.prop, "bad-value", "not one of its two values")
        elif isinstance(value, dict | list | bool):
            journal.fault(leaf.prop, "bad-value", "neither a number nor a text")
        else:
            report[leaf.key] = value[:128] if isinstance(value, str) else value

    def _logged(self, journal: Journal, payload: bytes) -> None:
        """A line about a failed command to this device: the nearest that there is to a refusal.

        Only a line that names the device and a property that our last command set counts.
        """
        pending = journal.memory.get("pending")
        if pending is None or self._name.encode() not in payload:
            return
        line = json_value(payload)
        match line:
            case {"level": "error", "message": str(message)} if is_clean(message):
                names = [prop for prop in pending["props"] if f"'{prop}'" in message]
                if names and f"'{self._name}'" in message:
                    journal.answered(pending["id"], "failed", f"zigbee: {names[0]}")
                    del journal.memory["pending"]

    def sent(self, memory: Memory, command: messages.Outgoing, now_ms: int) -> Heard:
        """What was asked is remembered, and under which properties."""
        after = super().sent(memory, command, now_ms)
        pending = {"id": command.id, "props": sorted(self._props(command.state))}
        return Heard({**after.memory, "pending": pending}, after.said)

    def _props(self, state: Mapping[str, Any]) -> set[str]:
        """The properties that may carry what is asked."""
        lamps = {
            prop
            for one in self._exposed.lamps
            for part, prop in one.props.items()
            if one.prefix + part in state
        }
        return lamps | {leaf.prop for leaf in self._exposed.leaves.values() if leaf.key in state}

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        body = self._payload(memory["state"], command)
        return [Told(f"{self._topic}/set", msgspec.json.encode(body).decode())]

    def _payload(self, reported: Mapping[str, Any], command: messages.Outgoing) -> dict[str, Any]:
        body: dict[str, Any] = {}
        left = dict(command.state)
        for one in self._exposed.lamps:
            parts = {one.prefix + part for part in lamp.PARTS} & self.capabilities.keys()
            if own := {key: left.pop(key) for key in parts & left.keys()}:
                wish = lamp.wish(own, reported, prefix=one.prefix, wakes=True)
                body |= _lamp_payload(one, wish)
        for leaf in self._exposed.leaves.values():
            if leaf.key in left:
                body[leaf.prop] = _leaf_payload(leaf, left[leaf.key])
        return body


def _is_online(payload: bytes) -> bool:
    said = text(payload)
    if said not in ("online", "offline"):
        match json_object(payload):
            case {"state": "online" | "offline" as said}:
                pass
            case _:
                raise CodecError("wrong-shape")
    return said == "online"


def _lamp_state(journal: Journal, one: Lamp, said: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if one.state in said:
        value = said[one.state]
        if value in (None, one.on, one.off):
            report["power"] = None if value is None else value == one.on
        else:
            journal.fault(one.state, "bad-value", "neither on nor off")
    if one.brightness and one.brightness.prop in said:
        raw = number(said[one.brightness.prop])
        top = int(one.brightness.high)
        if raw is None and said[one.brightness.prop] is not None:
            journal.fault(one.brightness.prop, "bad-value", "not a finite number")
        else:
            report["brightness"] = None if raw is None else colour.from_scale(raw, top)
    report |= _colour_state(journal, one, said)
    return {one.prefix + part: value for part, value in report.items()}


def _colour_state(journal: Journal, one: Lamp, said: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the mode in force says: the other is Zigbee2MQTT's own approximation."""
    mode = said.get(one.color_mode) if one.color_mode else None
    if mode is None and one.mired and not one.color and said.get(one.mired.prop) is not None:
        mode = "color_temp"
    if mode == "color_temp" and one.mired:
        raw = number(said.get(one.mired.prop))
        if raw is None or not 1 <= raw <= 65535:
            journal.fault(one.mired.prop, "bad-value", "no colour temperature in mireds")
            return {}
        return {"mode": "cct", "cct": colour.kelvin(raw), "rgb": None}
    if mode in ("xy", "hs") and one.color:
        rgb = _rgb(said.get(one.color), hs=mode == "hs")
        if rgb is None:
            journal.fault(one.color, "bad-value", "no colour")
            return {}
        return {"mode": "rgb", "rgb": rgb, "cct": None}
    return {}


def _rgb(value: object, *, hs: bool) -> list[int] | None:
    if not isinstance(value, dict):
        return None
    hue = number(value.get("hue", value.get("h")))
    saturation = number(value.get("saturation", value.get("s")))
    if hs and hue is not None and saturation is not None:
        return colour.rgb_of_hs(hue, saturation)
    x, y = number(value.get("x")), number(value.get("y"))
    if x is None or y is None or not (0 <= x <= 1 and 0 <= y <= 1):
        return None
    return colour.rgb_of_xy(x, y)


def _lamp_payload(one: Lamp, wish: lamp.Wish) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if wish.power is not None:
        body[one.state] = one.on if wish.power else one.off
    if wish.brightness is not None and one.brightness:
        body[one.brightness.prop] = colour.to_scale(wish.brightness, int(one.brightness.high))
    if wish.cct is not None and one.mired:
        mired = colour.mireds(wish.cct)
        body[one.mired.prop] = int(min(max(mired, one.mired.low), one.mired.high))
    if wish.rgb is not None and one.color:
        body[one.color] = dict(zip("rgb", wish.rgb, strict=True))
    if wish.fade_ms is not None:
        body["transition"] = wish.fade_ms / 1000
    return body


def _leaf_payload(leaf: Leaf, value: object) -> object:
    if isinstance(leaf.rule, Flag):
        return leaf.on if value else leaf.off
    return value
