"""WLED: light strips. Topics below the device topic, by default wled/<mac>:

/status  online | offline (last will)
/g       brightness 0-255, 0 is off
/c       primary colour, #RRGGBB or #WWRRGGBB
/v       all of it as XML; also what makes the device known to us
/api     takes JSON

Nothing is ever written to the device topic itself: its parser takes any text with a T for a
toggle, and wraps numbers beyond 255. The XML is read by its known elements only, for the firmware
puts the device's name into it without escaping.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.domain import messages
from devices.domain.capabilities import Number, Rule
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
from devices.domain.conventions.reading import text, word
from devices.domain.conventions.reading import topic as foreign
from devices.domain.conventions.refusal import BadDiscovery, CodecError

TOP = 255
MAX_XML = 4096
_LEAVES = ("/v", "/status")
_HEX = re.compile(r"#([0-9A-Fa-f]{2})?([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})", re.ASCII)
_NUMBER = re.compile(r"<(ac|fx|ps|wv|cl)>(-?\d{1,5})</\1>", re.ASCII)
_NAME = re.compile(r"<ds>(.{0,64}?)</ds>", re.DOTALL)


class Wled:
    """Strips under some device topics."""

    name = "wled"

    def __init__(self, roots: tuple[str, ...] = ("wled/+/v", "wled/+/status")) -> None:
        self.roots = roots

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """A strip that tells its state exists; `offline` says so as well.

        Raises:
            CodecError: it is no state of a strip.
        """
        del retained
        leaf = next((leaf for leaf in _LEAVES if topic.endswith(leaf)), None)
        if leaf is None:
            return None
        if not payload:
            return Announcement(topic)
        root = topic.removesuffix(leaf)
        if leaf == "/status":
            _is_online(payload)
            return Announcement(topic, (Announced(root, {"topic": root}, _about(root, "")),))
        said = _xml(payload)
        named = _NAME.search(text(payload, longest=MAX_XML))
        name = named[1] if named and named[1].isprintable() else ""
        document = {"topic": root, "white": said.get("wv", [-1])[0] >= 0}
        return Announcement(topic, (Announced(root, document, _about(root, name)),))

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile it.

        Raises:
            BadDiscovery: it has no topic, or several.
        """
        roots = {word(d.get("topic"), "topic") for d in documents.values()}
        if len(roots) != 1:
            raise BadDiscovery("topic", "one strip has one device topic")
        white = any(d.get("white") is True for d in documents.values())
        return Strip(device, foreign(roots.pop(), "topic"), white=white)


def _about(root: str, name: str) -> About:
    serial = root.rpartition("/")[2][:64]
    return About("light", name or serial, "WLED", "WLED", "", serial)


class Strip(Brand):
    """One strip."""

    def __init__(self, device: str, root: str, *, white: bool) -> None:
        self._root, self._white = root, white
        table: dict[str, Rule] = dict(lamp.table(brightness=True, rgb=True, fade=True))
        if white:
            table["white"] = Number(0, 100, "%")
            del table["mode"]  # colour and white shine at once
        table["effect"] = Number(0, TOP, whole=True)
        table["preset"] = Number(1, 250, whole=True)
        super().__init__(
            device,
            topics=frozenset(f"{root}/{leaf}" for leaf in ("status", "g", "c", "v")),
            via=f"{root}/status",
            table=table,
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        match topic.removeprefix(self._root):
            case "/status":
                if _is_online(payload):
                    journal.came(vouched=True)
                else:
                    journal.went()
            case "/g":
                journal.report(_level(_whole(text(payload))), near=self._near)
            case "/c":
                journal.report(self._shade(text(payload)), near=self._near)
            case "/v":
                self._all(journal, _xml(payload))
            case _:
                raise CodecError("unknown-topic")

    def _shade(self, said: str) -> dict[str, Any]:
        found = _HEX.fullmatch(said)
        if found is None:
            raise CodecError("bad-value")
        white, *rgb = (int(part or "0", 16) for part in found.groups())
        return self._coloured(rgb, white)

    def _coloured(self, rgb: list[int], white: int) -> dict[str, Any]:
        report: dict[str, Any] = {"rgb": rgb}
        if self._white or white:
            report["white"] = colour.from_scale(white, TOP)
        return report

    def _all(self, journal: Journal, said: Mapping[str, list[int]]) -> None:
        report = _level(said["ac"][0])
        match said.get("cl"):
            case [r, g, b] if all(0 <= part <= TOP for part in (r, g, b)):
                report |= self._coloured([r, g, b], max(said.get("wv", [0])[0], 0))
            case _:
                journal.fault("cl", "bad-value", "must be three numbers 0 to 255")
        for tag, key in (("fx", "effect"), ("ps", "preset")):
            if tag in said:
                value = said[tag][0]
                report[key] = value if self.capabilities[key].fault(value) is None else None
        journal.report(report, near=self._near)

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        state, reported = command.state, memory["state"]
        if (preset := state.get("preset")) is not None:
            if len(state) > 1:
                raise lamp.refuse(
                    "preset", "预设须单独设置", "it sets everything: ask for it alone"
                )
            return [Told(f"{self._root}/api", f'{{"ps":{preset}}}')]
        wish = lamp.wish(state, reported, wakes=True, blends=self._white)
        body: dict[str, Any] = {}
        if wish.power is not None:
            body["on"] = wish.power
        if wish.brightness is not None:
            body["bri"] = colour.to_scale(wish.brightness, TOP)
        if wish.fade_ms is not None:
            body["tt"] = colour.half_up(wish.fade_ms / 100)
        if segment := self._segment(wish, reported):
            body["seg"] = segment
        return [Told(f"{self._root}/api", msgspec.json.encode(body).decode())]

    def _segment(self, wish: lamp.Wish, reported: Mapping[str, Any]) -> dict[str, Any]:
        """Of all selected segments. Colour and white travel together: the other stays as it is."""
        segment: dict[str, Any] = {} if wish.effect is None else {"fx": wish.effect}
        if wish.rgb is None and wish.white is None:
            return segment
        parts = wish.rgb if wish.rgb is not None else reported.get("rgb")
        if parts is None:
            raise lamp.refuse("rgb", "请同时给出颜色", "it is not known yet: ask for it as well")
        if self._white:
            white = wish.white if wish.white is not None else reported.get("white", 0)
            parts = [*parts, colour.to_scale(white, TOP)]
        return {**segment, "col": [parts]}


def _level(raw: int) -> dict[str, Any]:
    """0 is off, and says nothing of the brightness that it will have again."""
    if not 0 <= raw <= TOP:
        raise CodecError("bad-value")
    if raw == 0:
        return {"power": False}
    return {"power": True, "brightness": colour.from_scale(raw, TOP)}


def _whole(said: str) -> int:
    if not re.fullmatch(r"\d{1,3}", said, re.ASCII):
        raise CodecError("bad-value")
    return int(said)


def _is_online(payload: bytes) -> bool:
    said = text(payload)
    if said not in ("online", "offline"):
        raise CodecError("bad-value")
    return said == "online"


def _xml(payload: bytes) -> dict[str, list[int]]:
    """The numbers of the elements that we know, in order."""
    said = text(payload, longest=MAX_XML)
    found: dict[str, list[int]] = {}
    for tag, value in _NUMBER.findall(said):
        found.setdefault(tag, []).append(int(value))
    if "<vs>" not in said or "ac" not in found:
        raise CodecError("wrong-shape")
    return found
