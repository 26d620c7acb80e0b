"""Shelly, first generation: plain topics below shellies/<id>/.

shellies/<id>/online             true | false (last will)
shellies/<id>/announce           what it is
shellies/<id>/relay/<n>          on | off | overpower; …/power in W, …/energy in watt-minutes
shellies/<id>/relay/<n>/command  on | off (never toggle)
shellies/<id>/light/<n>/status   {"ison", "brightness", …}; …/set takes {"turn", "brightness", …}
shellies/<id>/white/<n>/…        the same
shellies/<id>/color/<n>/…        also {"red", "green", "blue", "white", "gain"}
shellies/<id>/input/<n>          0 | 1
shellies/<id>/input_event/<n>    {"event": "S", "event_cnt": 3}
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.domain import messages
from devices.domain.capabilities import Flag, Rule
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.brand import Brand, Told
from devices.domain.conventions.convention import (
    About,
    Announced,
    Announcement,
    Binding,
    Documents,
    Memory,
)
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import json_object, number, numeral, text
from devices.domain.conventions.refusal import BadDiscovery, CodecError

ROOT = "shellies/"
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_CHANNEL = re.compile(r"(relay|light|white|color|input)/(\d)", re.ASCII)
_WATT_MINUTES = 60
_SENSORS: Mapping[str, str] = {"temperature": "temperature_c"}


def discover(topic: str, payload: bytes) -> Announcement | None:
    """What a message shows of its device; None when nothing.

    Raises:
        CodecError: an announcement that is none.
    """
    match topic.split("/", 2):
        case [_, device, rest] if _DEVICE.fullmatch(device):
            pass
        case _:
            return None
    if rest == "announce":
        return _announced(topic, device, payload)
    channel = _CHANNEL.match(rest)
    if channel is None or rest not in (channel[0], f"{channel[0]}/status"):
        return None
    document = {"gen": 1, "id": device, "channel": channel[0]}
    about = About(
        kind={"relay": "power_outlet", "input": ""}.get(channel[1], "light"),
        name=device,
        manufacturer="Shelly",
        model=device.partition("-")[0],
    )
    return Announcement(topic, (Announced(device, document, about),) if payload else ())


def _announced(topic: str, device: str, payload: bytes) -> Announcement:
    if not payload:
        return Announcement(topic)
    said = json_object(payload)
    if said.get("id") != device:
        raise BadDiscovery("id", f"{device} announces itself by another name")
    texts = {k: v[:64] for k, v in said.items() if isinstance(v, str)}
    about = About(
        name=device,
        manufacturer="Shelly",
        model=texts.get("model", ""),
        firmware=texts.get("fw_ver", ""),
        serial=texts.get("mac", ""),
    )
    return Announcement(topic, (Announced(device, {"gen": 1, "id": device}, about),))


def bind(documents: Documents, device: str) -> Binding:
    """Compile the channels of one device.

    Raises:
        BadDiscovery: they are of several devices.
    """
    ids = {document.get("id") for document in documents.values()}
    (name,) = ids if len(ids) == 1 else (None,)
    if not isinstance(name, str) or not _DEVICE.fullmatch(name):
        raise BadDiscovery("id", "must be one word, the same everywhere")
    channels = sorted({c for d in documents.values() if isinstance(c := d.get("channel"), str)})
    if any(not _CHANNEL.fullmatch(channel) for channel in channels):
        raise BadDiscovery("channel", "is none that we know")
    return Shelly1(device, name, channels)


class Shelly1(Brand):
    """Relays and lights by plain words."""

    def __init__(self, device: str, name: str, channels: list[str]) -> None:
        self._root = f"{ROOT}{name}/"
        told = [channel for channel in channels if not channel.startswith("input")]
        self._prefixes = {c: "" if len(told) == 1 else f"{c.replace('/', ':')}." for c in told}
        table: dict[str, Rule] = {}
        for channel, prefix in self._prefixes.items():
            table |= _table(channel, prefix)
        super().__init__(
            device,
            topics=frozenset({f"{self._root}#"}),
            via=f"{self._root}online",
            table=table,
            reads=frozenset(c.replace("/", ":") for c in channels if c.startswith("input")),
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        leaf = topic.removeprefix(self._root)
        if leaf == topic:
            raise CodecError("unknown-topic")
        channel = _CHANNEL.match(leaf)
        if leaf == "online":
            self._online(journal, text(payload))
        elif leaf in _SENSORS:
            self._measured(journal, _SENSORS[leaf], text(payload), 1)
        elif leaf.startswith("input_event/"):
            self._pressed(journal, leaf, json_object(payload))
        elif channel:
            self._channel(journal, channel[0], leaf[channel.end() :], payload)
        # what else it says, and what it is told, concerns us not

    def _online(self, journal: Journal, said: str) -> None:
        if said == "true":
            journal.came(vouched=True)
        elif said == "false":
            journal.went()
        else:
            raise CodecError("bad-value")

    def _channel(self, journal: Journal, channel: str, rest: str, payload: bytes) -> None:
        prefix = self._prefixes.get(channel)
        tag = "" if len(self._prefixes) == 1 else f"{channel.replace('/', '_')}_"
        match rest:
            case "/power":
                self._measured(journal, f"{tag}power_w", text(payload), 1)
            case "/energy":
                self._measured(journal, f"{tag}energy_wh", text(payload), 1 / _WATT_MINUTES)
            case "/status" if prefix is not None:
                journal.report(_status(channel, prefix, json_object(payload)), near=self._near)
            case "":
                self._word(journal, channel, prefix, text(payload))
            case _:
                pass  # our own commands, among others

    def _word(self, journal: Journal, channel: str, prefix: str | None, said: str) -> None:
        if channel.startswith("input/"):
            if said not in ("0", "1"):
                raise CodecError("bad-value")
            journal.report({channel.replace("/", ":"): said == "1"})
        elif said == "overpower":
            journal.happened("overload", {"channel": channel})
            journal.report({f"{prefix}power": False} if prefix is not None else {})
        elif said in ("on", "off"):
            journal.report({f"{prefix}power": said == "on"} if prefix is not None else {})
        else:
            raise CodecError("bad-value")

    def _measured(self, journal: Journal, metric: str, said: str, factor: float) -> None:
        if (value := numeral(said)) is None:
            raise CodecError("bad-value")
        journal.alive()
        journal.measured({metric: round(value * factor, 3)})

    def _pressed(self, journal: Journal, leaf: str, said: Mapping[str, Any]) -> None:
        event = said.get("event")
        if isinstance(event, str) and event:
            journal.happened("button", {"component": leaf[:32], "action": event[:32]})

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        told = []
        for channel, prefix in self._prefixes.items():
            keys = _table(channel, prefix).keys()
            if own := {k: v for k, v in command.state.items() if k in keys}:
                wish = lamp.wish(own, memory["state"], prefix=prefix, wakes=False)
                told.append(_told(f"{self._root}{channel}", channel, wish))
        return told


def _table(channel: str, prefix: str) -> dict[str, Rule]:
    if channel.startswith("relay"):
        return {f"{prefix}power": Flag()}
    rgb = channel.startswith("color")
    return dict(lamp.table(prefix=prefix, brightness=True, rgb=rgb, fade=True))


def _told(root: str, channel: str, wish: lamp.Wish) -> Told:
    if channel.startswith("relay"):
        return Told(f"{root}/command", "on" if wish.power else "off")
    body: dict[str, Any] = {}
    if wish.power is not None:
        body["turn"] = "on" if wish.power else "off"
    if wish.brightness is not None:
        level = "gain" if channel.startswith("color") else "brightness"
        body[level] = colour.to_scale(wish.brightness, 100)
    if wish.rgb is not None:
        body |= {"mode": "color"} | dict(zip(("red", "green", "blue"), wish.rgb, strict=True))
    if wish.fade_ms is not None:
        body["transition"] = min(wish.fade_ms, 5000)
    return Told(f"{root}/set", msgspec.json.encode(body).decode())


def _status(channel: str, prefix: str, said: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if isinstance(said.get("ison"), bool):
        report["power"] = said["ison"]
    if channel.startswith("relay"):
        return {prefix + part: value for part, value in report.items()}
    level = number(said.get("gain" if channel.startswith("color") else "brightness"))
    if level is not None and 0 <= level <= 100:
        report["brightness"] = colour.half_up(level)
    if channel.startswith("color"):
        parts = [number(said.get(part)) for part in ("red", "green", "blue")]
        if all(part is not None and 0 <= part <= 255 for part in parts):
            report |= {"rgb": [colour.half_up(part or 0) for part in parts], "mode": "rgb"}
    return {prefix + part: value for part, value in report.items()}
