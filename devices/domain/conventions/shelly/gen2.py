"""Shelly, second generation and later: status topics, notifications, and RPC with real answers.

<prefix>/online                  true | false (last will)
<prefix>/status/<component>      its whole status, whenever something changes
<prefix>/events/rpc              NotifyStatus (partial), NotifyFullStatus, NotifyEvent
<prefix>/rpc                     our requests; the answer goes to <our src>/rpc

A request carries the id of its command, so that an answer names it whoever reads it: after a
restart, or by another bridge. Several components take several requests, <command>.<at>of<all>; the
command is done when all have answered, and rejected or failed with the first that refuses.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.domain import messages
from devices.domain.capabilities import Rule
from devices.domain.conventions import lamp
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
from devices.domain.conventions.reading import json_object, text, word
from devices.domain.conventions.reading import topic as foreign
from devices.domain.conventions.refusal import BadDiscovery, CodecError
from devices.domain.conventions.shelly import components
from devices.domain.conventions.shelly.components import Component

US = "wb-bridge"
MAX_PREFIX = 299
MAX_ANSWERS = 16
MAX_REQUEST = 80
_BAD_PREFIX = re.compile(r"[#+%?]")
_PART = re.compile(r"(.{1,64})\.(\d{1,2})of(\d{1,2})", re.ASCII)
# the device understood and will not: asking again is of no use
_REJECTIONS = frozenset({-103, -104, -105, -109, -114, 400, 404})


def is_prefix(prefix: str) -> bool:
    """Whether a device accepts it as its topic prefix."""
    return (
        0 < len(prefix) <= MAX_PREFIX
        and not prefix.startswith("$")
        and not _BAD_PREFIX.search(prefix)
    )


def discover(topic: str, payload: bytes) -> Announcement | None:
    """What a status or a full notification shows; None where a message shows nothing whole.

    Raises:
        CodecError: a component's own status that is no object of its id.
    """
    if topic.endswith("/events/rpc"):
        return _discover_full(topic, payload)
    prefix, found, name = topic.rpartition("/status/")
    if not found or components.name_of(name) is None or not is_prefix(prefix):
        return None
    if not payload:
        return Announcement(topic)
    status = json_object(payload)
    if status.get("id") != int(name.partition(":")[2]):
        raise CodecError("wrong-shape")
    return _announce(topic, prefix, [name], About())


def _discover_full(topic: str, payload: bytes) -> Announcement | None:
    prefix = topic.removesuffix("/events/rpc")
    if b'"NotifyFullStatus"' not in payload or not is_prefix(prefix):
        return None
    match json_object(payload):
        case {"method": "NotifyFullStatus", "params": dict(params)}:
            sys = params.get("sys")
            mac = sys.get("mac") if isinstance(sys, dict) else None
            serial = mac if isinstance(mac, str) and len(mac) <= 32 else ""
            return _announce(topic, prefix, sorted(params), About(serial=serial))
        case _:
            return None


def _announce(topic: str, prefix: str, names: list[str], about: About) -> Announcement | None:
    known = [name for name in names if components.name_of(name)]
    if not known:
        return None
    lit = any(components.name_of(n) in components.METHODS.keys() - {"switch"} for n in known)
    outlet = any(components.name_of(n) == "switch" for n in known)
    about = About(
        kind="light" if lit else "power_outlet" if outlet else "",
        name=prefix[:64],
        manufacturer="Shelly",
        model=prefix.rpartition("/")[2].partition("-")[0][:64],
        serial=about.serial,
    )
    document = {"gen": 2, "prefix": prefix, "components": known}
    return Announcement(topic, (Announced(prefix, document, about),))


def bind(documents: Documents, device: str) -> Binding:
    """Compile the components of one device.

    Raises:
        BadDiscovery: they are of several devices, or none.
    """
    prefixes = {word(d.get("prefix"), "prefix", longest=MAX_PREFIX) for d in documents.values()}
    if len(prefixes) != 1:
        raise BadDiscovery("prefix", "differs between components")
    (prefix,) = prefixes
    if not is_prefix(prefix):
        raise BadDiscovery("prefix", "has characters that no prefix may have")
    names: list[str] = []
    for document in documents.values():
        listed = document.get("components")
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise BadDiscovery("components", "must be a list of names")
        names += listed
    return Shelly(device, foreign(prefix, "prefix"), components.arrange(names[:64]))


class Shelly(Brand):
    """Hears statuses and answers, tells by RPC."""

    def __init__(self, device: str, prefix: str, parts: list[Component]) -> None:
        self._prefix, self._parts = prefix, {part.name: part for part in parts}
        self._id = prefix.rpartition("/")[2]
        table: dict[str, Rule] = {}
        for part in parts:
            table |= components.table(part)
        super().__init__(
            device,
            topics=frozenset(
                {f"{prefix}/online", f"{prefix}/status/+", f"{prefix}/events/rpc", f"{US}/rpc"}
            ),
            via=f"{prefix}/online",
            table=table,
            reads=frozenset(key for part in parts for key in components.reads(part)),
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        if topic == f"{US}/rpc":
            if self._id.encode() in payload:  # answers of all devices arrive here
                self._answer(journal, json_object(payload))
        elif topic == self._via:
            self._online(journal, text(payload))
        elif topic == f"{self._prefix}/events/rpc":
            self._notified(journal, json_object(payload))
        elif topic.startswith(f"{self._prefix}/status/"):
            self._status(journal, topic.removeprefix(f"{self._prefix}/status/"), payload)
        else:
            raise CodecError("unknown-topic")

    def _online(self, journal: Journal, said: str) -> None:
        if said == "true":
            journal.came(vouched=True)
        elif said == "false":
            journal.went()
        else:
            raise CodecError("bad-value")

    def _status(self, journal: Journal, name: str, payload: bytes) -> None:
        status = json_object(payload)
        self._overlay(journal, {name: status})

    def _notified(self, journal: Journal, frame: Mapping[str, Any]) -> None:
        match frame:
            case {"method": "NotifyStatus" | "NotifyFullStatus", "params": dict(params)}:
                self._overlay(journal, params)
            case {"method": "NotifyEvent", "params": {"events": list(events)}}:
                journal.alive()
                for event in events[:32]:
                    self._event(journal, event)
            case {"method": str(), "params": dict()}:
                journal.alive()
            case _:
                raise CodecError("wrong-shape")

    def _overlay(self, journal: Journal, said: Mapping[str, Any]) -> None:
        """Lay what is said of each component over what is known; the rest is unchanged."""
        report: dict[str, Any] = {}
        metrics: dict[str, float] = {}
        complaints: dict[str, list[str]] = {}
        for name, status in said.items():
            part = self._parts.get(name)
            if part is None or not isinstance(status, dict):
                continue
            report |= components.reported(journal, part, status)
            metrics |= components.metrics(part, status)
            if "errors" in status or "output" in status:
                complaints[name] = components.faults(status)
        if report:
            journal.report(report, near=self._near)
        else:
            journal.alive()
        journal.measured(metrics)
        self._complain(journal, complaints)

    def _complain(self, journal: Journal, complaints: Mapping[str, list[str]]) -> None:
        """An event for each error that was not there before."""
        before = journal.memory.get("errors", {})
        for name, errors in complaints.items():
            for error in errors:
                if error not in before.get(name, ()):
                    data = {"component": name, "error": error[:64]}
                    journal.happened(components.event_of(error), data)
        if complaints:
            journal.memory["errors"] = {**before, **complaints}

    def _event(self, journal: Journal, event: object) -> None:
        match event:
            case {"component": str(name), "event": str(what)} if what:
                journal.happened("button", {"component": name[:64], "action": what[:32]})
            case _:
                journal.fault("events", "wrong-shape", "no component and event")

    def _answer(self, journal: Journal, frame: Mapping[str, Any]) -> None:
        """An answer to one of our requests; those of other devices and callers are not ours."""
        if frame.get("src") != self._id or frame.get("dst") != US:
            return
        request = frame.get("id")
        if not isinstance(request, str) or not 0 < len(request) <= MAX_REQUEST:
            return
        journal.alive()
        match frame:
            case {"error": {"code": int(code)}} if not isinstance(code, bool):
                st: messages.AckStatus = "rejected" if code in _REJECTIONS else "failed"
                self._settle(journal, request, st, f"shelly{code}")
            case {"result": _}:
                self._settle(journal, request, "done", "")
            case _:
                raise CodecError("wrong-shape")

    def _settle(self, journal: Journal, request: str, st: messages.AckStatus, code: str) -> None:
        found = _PART.fullmatch(request)
        if found is None:
            journal.answered(request, st, code)
            return
        command, at, all_of = found[1], found[2], int(found[3])
        if st != "done":
            journal.answered(command, st, code)
            return
        answers = dict(journal.memory.get("answers", {}))
        came = sorted({*answers.pop(command, ()), at})
        if len(came) >= all_of:
            journal.answered(command, "done")
        else:
            answers[command] = came
        journal.memory["answers"] = dict(list(answers.items())[-MAX_ANSWERS:])

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        calls: list[tuple[str, dict[str, Any]]] = []
        for part in self._parts.values():
            keys = components.table(part).keys()
            if own := {k: v for k, v in command.state.items() if k in keys}:
                wish = lamp.wish(
                    own,
                    memory["state"],
                    prefix=part.prefix,
                    wakes=False,
                    blends=part.kind == "rgbw",
                )
                calls.append((f"{part.method}.Set", components.params(part, wish)))
        return [
            Told(f"{self._prefix}/rpc", _frame(_id(command.id, at, len(calls)), *call))
            for at, call in enumerate(calls, 1)
        ]


def _id(command: str, at: int, all_of: int) -> str:
    return command if all_of == 1 else f"{command}.{at}of{all_of}"


def _frame(request: str, method: str, params: Mapping[str, Any]) -> str:
    body = {"id": request, "src": US, "method": method, "params": params}
    return msgspec.json.encode(body).decode()
