"""Who is who: devices by code and id, kept in memory because each message asks.

Reloaded when something in this process changed a device, when a code is unknown, and at least
every ten seconds, because other processes change devices too.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from devices.models import Device
from devices.models.registry import DeviceStatus

MAX_AGE = timedelta(seconds=10)
MISS_AGE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the registry says of one device; `shown` is the part that dashboards see.

    `circuit_w` is what the circuit of its space carries.
    """

    id: int
    code: str
    kind: str
    role: str
    status: str
    space_id: int | None
    space_code: str
    shown: Mapping[str, str]
    space_type: str = ""
    circuit_w: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether it takes part: neither in quarantine, maintenance nor retired."""
        return self.status == DeviceStatus.ACTIVE


class _Cache:
    """One loaded copy; replaced whole, never changed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loaded_at: datetime | None = None
        self.by_code: Mapping[str, Entry] = {}
        self.by_id: Mapping[int, Entry] = {}


_cache = _Cache()


def forget() -> None:
    """Load again before the next answer."""
    _cache.loaded_at = None


def by_code(now: datetime) -> Mapping[str, Entry]:
    """All devices by code, at most ten seconds old."""
    _refresh(now, MAX_AGE)
    return _cache.by_code


def by_id(now: datetime) -> Mapping[int, Entry]:
    """All devices by id, at most ten seconds old."""
    _refresh(now, MAX_AGE)
    return _cache.by_id


def after_miss(now: datetime) -> Mapping[str, Entry]:
    """All devices by code, at most one second old: somebody asked for one that we do not know."""
    _refresh(now, MISS_AGE)
    return _cache.by_code


def _refresh(now: datetime, max_age: timedelta) -> None:
    loaded_at = _cache.loaded_at
    if loaded_at is not None and timedelta(0) <= now - loaded_at < max_age:
        return
    with _cache.lock:
        entries = [_entry(row) for row in Device.objects.values_list(*_COLUMNS)]
        _cache.by_code = {e.code: e for e in entries}
        _cache.by_id = {e.id: e for e in entries}
        _cache.loaded_at = now


_COLUMNS = (
    "pk", "code", "kind", "role", "status", "space_id",
    "space__code", "model__code", "model__name_zh", "model__brand", "model__model",
    "space__type__code", "space__circuit_capacity_kw",
)  # fmt: skip


def _entry(row: tuple[Any, ...]) -> Entry:
    pk, code, kind, role, status, space_id, space, model, name_zh, brand, make, space_type, kw = (
        row
    )
    shown = {
        "kind": kind,
        "role": role,
        "model": model or "",
        "name_zh": name_zh or code,
        "name_en": f"{brand} {make}" if model else code,
    }
    return Entry(
        id=pk,
        code=code,
        kind=kind,
        role=role,
        status=status,
        space_id=space_id,
        space_code=space or "",
        shown=shown,
        space_type=space_type or "",
        circuit_w=float(kw or 0) * 1000,
    )
