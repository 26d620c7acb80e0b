"""Outside facts about bookings, as cases of tests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "vectors" / "booking"


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def cases(name: str, *, rules: tuple[str, ...] = ()) -> list[Any]:
    """The vectors of one file, each a test with its own id; with `rules` those about them."""
    vectors = _read(name)["vectors"]
    assert vectors
    return [
        pytest.param(vector, id=vector["id"])
        for vector in vectors
        if not rules or vector["rule"] in rules
    ]


def rules_of(name: str) -> set[str]:
    """What the vectors of one file are about."""
    return {vector["rule"] for vector in _read(name)["vectors"]}
