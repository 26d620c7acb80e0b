"""The measurements in a Tasmota telemetry message."""

import re
from collections.abc import Mapping
from typing import Any

from devices.domain.conventions.reading import number

MAX_METRICS = 48
_NAME = re.compile(r"[^a-z0-9]+")
# of ENERGY: name, and what one of theirs is in ours
_ENERGY: Mapping[str, tuple[str, float]] = {
    "Power": ("power_w", 1),
    "Voltage": ("voltage_v", 1),
    "Current": ("current_a", 1),
    "Factor": ("power_factor", 1),
    "Total": ("energy_wh", 1000),
    "ApparentPower": ("apparent_va", 1),
    "ReactivePower": ("reactive_var", 1),
}
_SENSED: Mapping[str, str] = {
    "Temperature": "temperature_c",
    "Humidity": "humidity_pct",
    "DewPoint": "dew_point_c",
    "Pressure": "pressure_hpa",
    "Illuminance": "illuminance_lx",
    "CarbonDioxide": "co2_ppm",
}


def metrics(said: Mapping[str, Any]) -> dict[str, float]:
    """All measurements that we have a name and a unit for; phases and sensors are told apart."""
    found: dict[str, float] = {}
    fahrenheit = said.get("TempUnit") == "F"
    for name, part in said.items():
        if not isinstance(part, dict):
            continue
        if name == "ENERGY":
            found |= _energy(part)
        elif name == "Wifi":
            found |= _named("rssi_dbm", part.get("Signal"), 1)
        else:
            found |= _sensor(name, part, fahrenheit=fahrenheit)
    return dict(list(found.items())[:MAX_METRICS])


def _energy(part: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, (metric, factor) in _ENERGY.items():
        value = part.get(key)
        if isinstance(value, list):  # one of each phase
            for at, one in enumerate(value[:3], 1):
                found |= _named(f"{metric}_{at}", one, factor)
        else:
            found |= _named(metric, value, factor)
    return found


def _sensor(name: str, part: Mapping[str, Any], *, fahrenheit: bool) -> dict[str, float]:
    found: dict[str, float] = {}
    prefix = _NAME.sub("_", name.lower()).strip("_")[:24]
    for key, metric in _SENSED.items():
        value = number(part.get(key))
        if value is None or not prefix:
            continue
        if fahrenheit and metric.endswith("_c"):
            value = (value - 32) * 5 / 9
        found[f"{prefix}_{metric}"] = round(value, 3)
    return found


def _named(metric: str, value: object, factor: float) -> dict[str, float]:
    measured = number(value)
    return {} if measured is None else {metric: measured * factor}
