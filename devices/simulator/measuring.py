"""What devices of each kind measure, and how often. Pure, but for the given random numbers."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from devices.simulator.plan import Spec
from devices.simulator.room import Room

Metrics = dict[str, float]
State = Mapping[str, Any]

ON_AIR_PERIOD_S = 2.0
METER_PERIOD_S = 15.0
PERIOD_S = 24.0  # well within the 45 s after which silence counts as stale


def period_s(spec: Spec, state: State) -> float:
    """How long until the next measurement."""
    if spec.kind == "encoder" and state.get("run") == "live":
        return ON_AIR_PERIOD_S
    return METER_PERIOD_S if spec.kind == "power_meter" else PERIOD_S


def measure(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    """One set of measurements."""
    by = _BY_MODEL.get(spec.model) or _BY_KIND.get(spec.kind, _alive)
    return {name: round(value, 3) for name, value in by(spec, state, room, rng).items()}


def _alive(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    """A device without sensors still says that it is there."""
    return {"rssi_dbm": rng.uniform(-62, -48)}


def _light(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    level = state.get("brightness", 100) if state.get("power") else 0
    head_c = room.temperature_c + 0.38 * level + rng.uniform(-0.6, 0.6)
    sag_pct = max(0.0, (head_c - 50) * 0.03)  # a hot LED gives a little less
    return {"head_temp_c": head_c, "dim_pct": level * (1 - sag_pct / 100)}


def _camera(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"temp_c": room.temperature_c + (14 if state.get("power") else 1) + rng.uniform(-1, 1)}


def _phone(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"battery_pct": rng.uniform(82, 100)}


def _encoder(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    live = state.get("run") == "live"
    temp_c = room.temperature_c + (22 if live else 9) + rng.uniform(-1, 1)
    if not live:
        return {"temp_c": temp_c}
    lossy = rng.random() < 0.03
    return {
        "fps": state["fps"] - (rng.uniform(0.2, 1.5) if lossy else rng.uniform(0, 0.05)),
        "kbps": state["kbps"] * rng.uniform(0.93, 1.04),
        "dropped": float(rng.randint(1, 3)) if lossy else 0.0,
        "dropped_pct": rng.uniform(0.2, 0.9) if lossy else rng.uniform(0, 0.05),
        "rtt_ms": rng.gammavariate(9, 3) + 8,
        "temp_c": temp_c,
    }


def _audio(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"level_dbfs": rng.uniform(-24, -12) if room.on_air else rng.uniform(-70, -60)}


def _meter(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    volts, watts = rng.uniform(226, 234), room.power_w
    return {
        "energy_wh": room.energy_wh,
        "power_w": watts * rng.uniform(0.995, 1.005),
        "voltage_v": volts,
        "current_a": watts / volts,
        "power_factor": rng.uniform(0.93, 0.98),
    }


def _air(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {
        "temperature_c": room.temperature_c,
        "humidity_pct": room.humidity_pct,
        "lux": room.lux,
        "noise_dba": room.noise_dba,
        "co2_ppm": room.co2_ppm,
    }


def _presence(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"presence": float(room.people > 0), "count_estimate": float(room.people)}


def _climate(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"temperature_c": room.temperature_c, "setpoint_c": float(state["setpoint_c"])}


def _ups(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {"load_pct": rng.uniform(28, 36), "battery_pct": 100.0, "runtime_min": 42.0}


def _network(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    return {
        "uplink_mbps": rng.uniform(180, 420),
        "loss_pct": rng.uniform(0, 0.05),
        "rtt_ms": rng.uniform(6, 14),
    }


def _workstation(spec: Spec, state: State, room: Room, rng: random.Random) -> Metrics:
    busy = 78 if room.on_air else 6
    return {"gpu_pct": busy + rng.uniform(-5, 5), "gpu_temp_c": 38 + busy * 0.4}


_Measure = Callable[[Spec, State, Room, random.Random], Metrics]
_BY_KIND: Mapping[str, _Measure] = {
    "light": _light,
    "camera": _camera,
    "encoder": _encoder,
    "audio": _audio,
    "power_meter": _meter,
    "hvac": _climate,
    "ups": _ups,
    "network": _network,
    "workstation": _workstation,
}
_BY_MODEL: Mapping[str, _Measure] = {
    "CAM-PHONE": _phone,
    "SEN-ENV": _air,
    "SEN-PIR": _presence,
}
