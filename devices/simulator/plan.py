"""Which devices the fleet has: read from the base data, the same file the importer reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spec:
    """One device as it was bought and hung."""

    code: str
    kind: str
    role: str
    model: str
    space: str
    rated_w: float


def read_plan(path: Path) -> list[Spec]:
    """All devices of a base file, in its order."""
    return list(specs_of(json.loads(path.read_text(encoding="utf-8"))))


def specs_of(base: dict[str, Any]) -> Iterator[Spec]:
    """The devices of base data."""
    rated = {model["code"]: float(model["planning_power_w"]) for model in base["device_models"]}
    for space in base["spaces"]:
        for device in space.get("devices", ()):
            yield Spec(
                code=device["tag"],
                kind=device["kind"],
                role=device["role"],
                model=device["model"],
                space=space["code"],
                rated_w=rated[device["model"]],
            )
