"""What the devices of one space share: the air, the light, the people, the mains. Pure."""

import random
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.simulator import physics
from devices.simulator.plan import Spec

HOUR_MS = 3_600_000
OUTDOOR_CO2_PPM = 420.0


class Drawing(Protocol):
    """A device as a room needs it."""

    spec: Spec
    state: dict[str, Any]


@dataclass(slots=True)
class Room:
    """One space; `advance` before anything in it changes, so that no energy is lost."""

    code: str
    rng: random.Random
    devices: list[Drawing] = field(default_factory=list)
    energy_wh: float = 0.0
    temperature_c: float = 24.5
    co2_ppm: float = 520.0
    humidity_pct: float = 55.0
    people: int = 0
    at_ms: int | None = None

    @property
    def power_w(self) -> float:
        """What all devices draw now."""
        return sum(physics.power_w(d.spec, d.state) for d in self.devices)

    @property
    def on_air(self) -> bool:
        """Whether an encoder streams."""
        return any(d.state.get("run") in physics.ON_AIR_STATES for d in self.devices)

    @property
    def lit(self) -> bool:
        """Whether studio lights are on; house lights are not a show."""
        return any(
            d.spec.kind == "light" and d.spec.role != "house" and d.state.get("power")
            for d in self.devices
        )

    @property
    def lux(self) -> float:
        """On the anchor's face."""
        lights = (d for d in self.devices if d.spec.kind == "light" and d.state.get("power"))
        return min(1400.0, 60 + sum(4.0 * float(d.state.get("brightness", 40)) for d in lights))

    @property
    def noise_dba(self) -> float:
        """Quiet is 31 dBA, a show 58."""
        return (58 if self.on_air else 31) + self.rng.uniform(-1.5, 1.5)

    def advance(self, now_ms: int) -> None:
        """Let the time pass since the last call: energy, heat, breath."""
        elapsed_ms = 0 if self.at_ms is None else max(0, now_ms - self.at_ms)
        self.at_ms = now_ms
        if not elapsed_ms:
            return
        power_w, seconds = self.power_w, elapsed_ms / 1000
        self.energy_wh += power_w * elapsed_ms / HOUR_MS
        warm = 24 + min(4.0, power_w / 1500) + 0.2 * self.people
        self.temperature_c = physics.settle(self.temperature_c, warm, seconds, 900)
        stale_air = OUTDOOR_CO2_PPM + 90 * self.people
        self.co2_ppm = physics.settle(self.co2_ppm, stale_air, seconds, 600)
        self.humidity_pct = min(70, max(40, self.humidity_pct + self.rng.uniform(-0.2, 0.2)))

    def crowd(self) -> int:
        """How many people are here now: a crew while on air, fewer while it is lit."""
        if self.on_air:
            self.people = self.rng.choice((2, 3, 3, 4))
        else:
            self.people = self.rng.choice((1, 2)) if self.lit else 0
        return self.people
