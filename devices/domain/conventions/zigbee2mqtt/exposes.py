"""What a Zigbee device exposes, compiled into capabilities and readers.

`access` is a sum: 1 it publishes the value, 2 it takes one, 4 it can be asked. What is marked as
configuration is only read here: that is a technician's matter, in Zigbee2MQTT itself. Numbers that
nobody can set are measurements; everything else is state. Composites other than colour are left.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.domain.capabilities import Choice, Flag, Number, Rule, Table, Text
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.plain import MAX_INT, is_plain
from devices.domain.conventions.reading import number
from devices.domain.conventions.refusal import BadDiscovery

MAX_EXPOSES = 96
_MAX_RAW = 65535
_PUBLISHED, _SETTABLE = 1, 2
_PROPERTY = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)
_ENDPOINT = re.compile(r"[A-Za-z0-9_]{1,16}", re.ASCII)
_LAMPISH = frozenset({"light", "switch"})

# property → (metric, factor by unit, or of all units)
_METRICS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "temperature": ("temperature_c", {}),
    "local_temperature": ("temperature_c", {}),
    "device_temperature": ("device_temperature_c", {}),
    "humidity": ("humidity_pct", {}),
    "battery": ("battery_pct", {}),
    "power": ("power_w", {}),
    "energy": ("energy_wh", {"kWh": 1000, "": 1000}),
    "voltage": ("voltage_v", {"mV": 0.001}),
    "current": ("current_a", {"mA": 0.001}),
    "illuminance": ("illuminance_lx", {}),
    "pressure": ("pressure_hpa", {}),
    "co2": ("co2_ppm", {}),
}


@dataclass(frozen=True, slots=True)
class Range:
    """A numeric property and its ends."""

    prop: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light or a switch, whose keys begin with `prefix`."""

    prefix: str
    state: str
    on: object
    off: object
    brightness: Range | None = None
    mired: Range | None = None
    color: str | None = None
    color_mode: str | None = None

    @property
    def props(self) -> Mapping[str, str]:
        """Which property carries which of our parts."""
        found = {"power": self.state}
        if self.brightness:
            found["brightness"] = self.brightness.prop
        if self.mired:
            found["cct"] = found["mode"] = self.mired.prop
        if self.color:
            found["rgb"] = self.color
        return found


@dataclass(frozen=True, slots=True)
class Leaf:
    """One other property; `metric` when it is a measurement, `factor` then scales it."""

    prop: str
    key: str
    rule: Rule | None
    on: object = True
    off: object = False
    metric: str = ""
    factor: float = 1


@dataclass(slots=True)
class Exposed:
    """All of it."""

    lamps: list[Lamp] = field(default_factory=list)
    leaves: dict[str, Leaf] = field(default_factory=dict)  # by property
    table: dict[str, Rule] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    @property
    def reads(self) -> frozenset[str]:
        """The keys that it reports, whether or not they can be set."""
        return frozenset(leaf.key for leaf in self.leaves.values() if not leaf.metric)

    def permit(self, rules: Table, path: str) -> None:
        """Add capabilities; two of one name would make a command ambiguous."""
        for key, rule in rules.items():
            if key in self.table:
                raise BadDiscovery(path, f"{key!r} is exposed twice")
            self.table[key] = rule


def read(exposes: object) -> Exposed:
    """Compile `definition.exposes`.

    Raises:
        BadDiscovery: with the path of the part that makes no sense.
    """
    if not isinstance(exposes, list) or len(exposes) > MAX_EXPOSES or not is_plain(exposes):
        raise BadDiscovery("exposes", f"must be a list of at most {MAX_EXPOSES}")
    found = Exposed()
    for at, entry in enumerate(exposes):
        path = f"exposes[{at}]"
        if not isinstance(entry, dict):
            raise BadDiscovery(path, "must be an object")
        kind = entry.get("type")
        if not isinstance(kind, str):
            raise BadDiscovery(f"{path}.type", "must be a word")
        if kind in _LAMPISH:
            _lamp(found, entry, path)
        elif kind in ("climate", "lock", "cover", "fan"):
            for feature, where in _features(entry, path):
                _leaf(found, feature, where, kind=kind, endpoint=_endpoint(entry, path))
        else:
            _leaf(found, entry, path)
    return found


def _features(entry: Mapping[str, Any], path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    features = entry.get("features")
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise BadDiscovery(f"{path}.features", "must be a list of objects")
    for at, feature in enumerate(features):
        yield feature, f"{path}.features[{at}]"


def _endpoint(entry: Mapping[str, Any], path: str) -> str:
    """The prefix of its keys: its endpoint, where it has one."""
    endpoint = entry.get("endpoint")
    if endpoint is None:
        return ""
    if not isinstance(endpoint, str) or not _ENDPOINT.fullmatch(endpoint):
        raise BadDiscovery(f"{path}.endpoint", "must be a short word")
    return f"{endpoint}."


def _lamp(found: Exposed, entry: Mapping[str, Any], path: str) -> None:
    by_name = {str(f.get("name")): (f, where) for f, where in _features(entry, path)}
    if "state" not in by_name:
        raise BadDiscovery(path, "has no state")
    state, where = by_name["state"]
    prefix = _endpoint(entry, path)
    if f"{prefix}power" in found.table:
        prefix += f"{entry['type']}."
    brightness = _range(by_name.get("brightness"))
    mired = _range(by_name.get("color_temp"))
    color, mode = _color(by_name)
    found.lamps.append(
        Lamp(
            prefix=prefix,
            state=_property(state, where),
            on=state.get("value_on", "ON"),
            off=state.get("value_off", "OFF"),
            brightness=brightness,
            mired=mired,
            color=color,
            color_mode=mode,
        )
    )
    if _access(state, where) & _SETTABLE:
        kelvins = (colour.kelvin(mired.high), colour.kelvin(mired.low)) if mired else None
        found.permit(
            lamp.table(
                prefix=prefix,
                brightness=brightness is not None,
                cct=kelvins,
                rgb=color is not None,
                fade=brightness is not None,
            ),
            path,
        )


def _color(by_name: Mapping[str, tuple[Mapping[str, Any], str]]) -> tuple[str | None, str | None]:
    """The properties of colour and of its mode; a lamp takes rgb when it has xy or hue."""
    for name in ("color_xy", "color_hs"):
        if name in by_name:
            prop = _property(*by_name[name])
            return prop, "color_mode" + prop.removeprefix("color")
    if "color_temp" in by_name:
        return None, "color_mode" + _property(*by_name["color_temp"]).removeprefix("color_temp")
    return None, None


def _range(feature: tuple[Mapping[str, Any], str] | None) -> Range | None:
    if feature is None:
        return None
    entry, path = feature
    low, high = number(entry.get("value_min")), number(entry.get("value_max"))
    least = 1 if entry.get("name") == "color_temp" else 0  # mireds are divided by
    if low is None or high is None or not least <= low < high <= _MAX_RAW or high < 1:
        raise BadDiscovery(path, f"must go from {least} or more to at most {_MAX_RAW}")
    return Range(_property(entry, path), low, high)


def _property(entry: Mapping[str, Any], path: str) -> str:
    prop = entry.get("property")
    if not isinstance(prop, str) or not _PROPERTY.fullmatch(prop):
        raise BadDiscovery(f"{path}.property", "must be a short word")
    return prop


def _access(entry: Mapping[str, Any], path: str) -> int:
    access = entry.get("access", _PUBLISHED)
    if isinstance(access, bool) or not isinstance(access, int) or not 0 <= access <= 7:
        raise BadDiscovery(f"{path}.access", "must be 0 to 7")
    return access


def _leaf(
    found: Exposed, entry: Mapping[str, Any], path: str, *, kind: str = "", endpoint: str = ""
) -> None:
    shape = entry.get("type")
    if shape not in ("binary", "numeric", "enum", "text"):
        return
    prop, access = _property(entry, path), _access(entry, path)
    if prop == "action":  # something that happens, not a state
        return
    settable = bool(access & _SETTABLE) and entry.get("category") != "config"
    if prop in found.leaves:
        raise BadDiscovery(path, f"{prop!r} is exposed twice")
    key, rule = endpoint + _key(kind, prop, settable=settable), _rule(entry, path)
    metric, factor = "", 1.0
    if shape == "numeric" and not settable:
        metric, factors = _METRICS.get(prop, (prop, {}))
        factor = factors.get(_unit(entry), 1)
    if rule is not None and settable:
        found.permit({key: rule}, path)
        if not access & _PUBLISHED:
            found.silent.add(key)
    found.leaves[prop] = Leaf(
        prop,
        key,
        rule,
        on=entry.get("value_on", True),
        off=entry.get("value_off", False),
        metric=metric,
        factor=factor,
    )


def _key(kind: str, prop: str, *, settable: bool) -> str:
    """Our own word where the meaning is ours."""
    if kind == "lock" and prop == "state":
        return "locked"
    if kind == "fan" and prop == "fan_state":
        return "power"
    if kind == "climate" and settable and prop.endswith("_heating_setpoint"):
        return "setpoint_c"
    return prop


def _unit(entry: Mapping[str, Any]) -> str:
    unit = entry.get("unit")
    return unit[:16] if isinstance(unit, str) else ""


def _rule(entry: Mapping[str, Any], path: str) -> Rule | None:
    """The rule of its values; None for a number without ends, which nobody may set."""
    match entry.get("type"):
        case "binary":
            return Flag()
        case "enum":
            return Choice(tuple(_words(entry.get("values"), path)))
        case "numeric":
            low, high = number(entry.get("value_min")), number(entry.get("value_max"))
            if low is None or high is None or not -MAX_INT <= low < high <= MAX_INT:
                return None
            return Number(low, high, _unit(entry))
        case _:
            return Text(128)


def _words(values: object, path: str) -> Sequence[str]:
    if not isinstance(values, list) or not 0 < len(values) <= 256:
        raise BadDiscovery(f"{path}.values", "must be a list of words")
    return [value for value in values if isinstance(value, str) and 0 < len(value) <= 64]
