"""The shipped data file, for tests."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from base_ops.core.spans import Span
from billing.domain.catalog import PriceBook
from billing.domain.reading import read_book
from billing.domain.situation import Situation

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "base_ops" / "data" / "demo_data.json"
BASE = ROOT / "base_ops" / "data" / "wanbo_base.json"
VECTORS = ROOT / "tests" / "vectors" / "billing"
CHINA = timezone(timedelta(hours=8))


@cache
def demo() -> dict[str, Any]:
    """The demo data."""
    data: dict[str, Any] = json.loads(DEMO.read_text(encoding="utf-8"))
    return data


@cache
def base() -> dict[str, Any]:
    """The base."""
    data: dict[str, Any] = json.loads(BASE.read_text(encoding="utf-8"))
    return data


@cache
def book() -> PriceBook:
    """The price book of the demo data."""
    return read_book(demo())


def vectors(name: str) -> list[dict[str, Any]]:
    """Outside facts."""
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return found


def at(text: str) -> datetime:
    """An instant of 2026 by the Shanghai clock: "11-16 10:00"."""
    return (
        datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=CHINA).astimezone(UTC)
    )


def span(start: str, hours: float) -> Span:
    """A span of 2026 by the Shanghai clock."""
    begin = at(start)
    return Span(begin, begin + timedelta(hours=hours))


def tenant(code: str) -> dict[str, Any]:
    """A tenant of the data file."""
    found: dict[str, Any] = next(t for t in demo()["tenants"] if t["code"] == code)
    return found


def space(code: str) -> dict[str, Any]:
    """A space of the data file."""
    found: dict[str, Any] = next(s for s in base()["spaces"] if s["code"] == code)
    return found


def situation(code: str, on: date, **rest: Any) -> Situation:
    """What the data file knows about a tenant."""
    row = tenant(code)
    plain = {
        "on": on,
        "rating": row["compliance_rating"],
        "category": row["category"],
        "industry": row["industry"],
        "tags": frozenset(row["tags"]),
        "registered": row["registered_in_panyu"],
        "joined_on": date.fromisoformat(row["joined_on"]),
    }
    return Situation(**plain | rest)
