"""The description of a Homie device, compiled: each property with its key, rule and format.

A property's key is ours where its meaning is: a boolean `power`, `on` or `switch` is `power`, a
percentage `brightness` is ours, a `color` is `rgb`, `color-temperature` is `cct`. Any other is
<node>.<property>. With several nodes that have a power, theirs begin with the node too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain.capabilities import Choice, Flag, Number, Rgb, Rule, Text
from devices.domain.conventions.convention import About, Announced, Announcement
from devices.domain.conventions.homie import payloads
from devices.domain.conventions.plain import MAX_INT, is_clean
from devices.domain.conventions.reading import json_object, topic
from devices.domain.conventions.refusal import BadDiscovery

ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
STATES = ("init", "ready", "disconnected", "sleeping", "lost")
MAX_PROPERTIES = 64
_MAX_RAW = 65535
_POWER = frozenset({"power", "on", "switch"})
_UNITS: Mapping[str, str] = {
    "°C": "c",
    "%": "pct",
    "V": "v",
    "W": "w",
    "A": "a",
    "kWh": "wh",
    "Wh": "wh",
    "Hz": "hz",
    "lx": "lx",
    "ppm": "ppm",
    "Pa": "pa",
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property. `metric`: its values are measurements of that name."""

    topic: str
    key: str
    datatype: str
    form: str | None
    settable: bool
    retained: bool
    scale: tuple[float, float] | None = None  # the ends of a brightness
    mired: bool = False
    metric: str = ""
    factor: float = 1

    @property
    def rule(self) -> Rule | None:
        """What it takes; None when nobody may set it."""
        if not self.settable:
            return None
        if self.scale is not None:
            return Number(0, 100, "%")
        if self.key.rpartition(".")[2] == "cct":
            return _kelvins(self)
        return _rule(self.datatype, self.form)


@dataclass(frozen=True, slots=True)
class Description:
    """A device; `root` is another device's topic whose loss is its own."""

    topic: str
    root: str | None
    properties: Mapping[str, Property]  # by topic


def discover(root: str, topic: str, payload: bytes) -> Announcement | None:
    """Read an announcement; None when the message is none.

    Raises:
        CodecError: it makes no sense.
    """
    device, _, leaf = topic.removeprefix(root).partition("/")
    if not topic.startswith(root) or leaf not in ("$description", "$state"):
        return None
    if not ID.fullmatch(device):
        raise BadDiscovery("", "the device's id has other than a-z, 0-9 and -")
    announces = f"{root}{device}/$description"
    if not payload:
        return Announcement(announces)
    if leaf == "$state":
        return None
    document = json_object(payload)
    read(f"{root}{device}", document)
    name = document.get("name")
    kind = document.get("type")
    about = About(
        kind=_kind(document),
        name=name[:64] if isinstance(name, str) else device,
        manufacturer="Homie",
        model=kind[:64] if isinstance(kind, str) else "",
        serial=device,
        via=root_of if isinstance(root_of := document.get("root"), str) else "",
    )
    return Announcement(announces, (Announced(device, document, about),))


def read(where: str, document: Mapping[str, Any]) -> Description:
    """Compile a description.

    Raises:
        BadDiscovery: with the path of what makes no sense.
    """
    version = document.get("homie")
    if not isinstance(version, str) or not version.startswith("5."):
        raise BadDiscovery("homie", "must be 5.x")
    base, _, own = topic(where, "").rpartition("/")
    root = document.get("root")
    if root is not None and (not isinstance(root, str) or not ID.fullmatch(root) or root == own):
        raise BadDiscovery("root", "must be the id of another device")
    found = list(_properties(document))
    if len(found) > MAX_PROPERTIES:
        raise BadDiscovery("nodes", f"more than {MAX_PROPERTIES} properties")
    powered = {node for node, name, about in found if _means(name, about) == "power"}
    compiled: dict[str, Property] = {}
    taken: set[str] = set()
    for node, name, about in found:
        one = _property(where, node, name, about, alone=len(powered) <= 1)
        if one.key in taken:
            one = _property(where, node, name, about, alone=False)
        taken.add(one.key)
        compiled[one.topic] = one
    return Description(where, f"{base}/{root}" if root else None, compiled)


def _properties(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for node, inside in _named(document.get("nodes", {}), "nodes"):
        path = f"nodes.{node}.properties"
        for name, about in _named(inside.get("properties", {}), path):
            yield node, name, about


def _named(value: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, dict):
        raise BadDiscovery(path, "must be an object")
    for key, inside in value.items():
        if not ID.fullmatch(key) or not isinstance(inside, dict):
            raise BadDiscovery(f"{path}.{key[:64]}", "must be an object with a proper id")
        yield key, inside


def _property(
    where: str, node: str, name: str, about: Mapping[str, Any], *, alone: bool
) -> Property:
    path = f"nodes.{node}.properties.{name}"
    datatype, form = about.get("datatype"), about.get("format")
    if datatype not in payloads.DATATYPES:
        raise BadDiscovery(f"{path}.datatype", "must be one of Homie's")
    if form is not None and (not isinstance(form, str) or not is_clean(form)):
        raise BadDiscovery(f"{path}.format", "must be a text")
    number = datatype in ("integer", "float")
    if number and payloads.span(form) is None:
        raise BadDiscovery(f"{path}.format", "must be min:max or min:max:step")
    if datatype in ("enum", "color") and not payloads.words(form):
        raise BadDiscovery(f"{path}.format", "must list the values")
    settable, retained = about.get("settable") is True, about.get("retained") is not False
    unit = about.get("unit") if isinstance(about.get("unit"), str) else ""
    means = _means(name, about)
    metric = f"{node}_{name}".replace("-", "_") if number and not settable and not means else ""
    if metric and (suffix := _UNITS.get(str(unit))):
        metric = metric if metric.endswith(f"_{suffix}") else f"{metric}_{suffix}"
    limits = payloads.span(form) if means == "brightness" else None
    return Property(
        topic=f"{where}/{node}/{name}",
        key=means if means and alone else f"{node}.{means or name}",
        datatype=str(datatype),
        form=form,
        settable=settable,
        retained=retained,
        scale=(limits.low, limits.high)
        if limits and limits.low is not None and limits.high
        else None,
        mired=means == "cct" and unit != "K",
        metric=metric[:48],
        factor=1000 if unit == "kWh" else 1,
    )


def _means(name: str, about: Mapping[str, Any]) -> str:
    """Our word for it, where the meaning is ours."""
    datatype, form = about.get("datatype"), about.get("format")
    number = datatype in ("integer", "float") and isinstance(form, str)
    limits = payloads.span(form) if number else None
    bounded = limits is not None and limits.low is not None and limits.high is not None
    if datatype == "boolean" and name in _POWER:
        return "power"
    low, high = (limits.low or 0, limits.high or 0) if limits is not None else (0, 0)
    if name == "brightness" and bounded:
        return "brightness" if low == 0 and 0.01 <= high <= _MAX_RAW else ""
    if name in ("color", "colour") and datatype == "color":
        return "rgb"
    unit = about.get("unit")
    if name in ("color-temperature", "cct") and bounded:
        return "cct" if unit in ("K", "mired", "mireds") and 1 <= low < high <= _MAX_RAW else ""
    return ""


def _kelvins(one: Property) -> Number:
    limits = payloads.span(one.form) or payloads.Span()
    low, high = limits.low or 1, limits.high or MAX_INT
    if one.mired:
        low, high = 1_000_000 / high, 1_000_000 / low
    return Number(round(low), round(high), "K", whole=True)


def _rule(datatype: str, form: str | None) -> Rule | None:
    match datatype:
        case "boolean":
            return Flag()
        case "integer" | "float":
            limits = payloads.span(form) or payloads.Span()
            low = -MAX_INT if limits.low is None else limits.low
            high = MAX_INT if limits.high is None else limits.high
            return Number(low, high, whole=datatype == "integer")
        case "enum":
            return Choice(tuple(payloads.words(form)))
        case "color":
            return Rgb()
        case "string":
            return Text(128)
        case _:
            return None


def _kind(document: Mapping[str, Any]) -> str:
    meanings = {_means(name, about) for _, name, about in _properties(document)}
    if meanings & {"brightness", "rgb", "cct"}:
        return "light"
    return "power_outlet" if "power" in meanings else ""
