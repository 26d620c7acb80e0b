"""Loads a base plan and its tenants: all of a file, or nothing and every fault of it."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from base_ops.core import geometry, money, uscc
from base_ops.core.faults import Faults
from base_ops.core.models import BookingMode, Floor, Site, Space, SpaceType, Tenant

SCHEMA = "wanbo-base/1"
AREA_TOLERANCE_M2 = 1e-6


def load_base(data: Mapping[str, Any]) -> dict[str, int]:
    """Create or update the site, its floors, space types and spaces.

    Args:
        data: the content of a base file (schema "wanbo-base/1").

    Returns:
        How many rows of each kind the base has now.

    Raises:
        BrokenFile: with every fault found; nothing was imported.
    """
    faults = Faults()
    site = faults.read("meta", partial(_meta, data))
    floors = _each(faults, data, "floors", _floor)
    types = _each(faults, data, "space_types", _type)
    spaces = _each(faults, data, "spaces", _space)
    _check_references(faults, data, floors, types, spaces)
    faults.raise_any()
    assert site is not None
    with transaction.atomic():
        _save(site, floors, types, spaces)
    return {"floors": len(floors), "space_types": len(types), "spaces": len(spaces)}


Fields = dict[str, Any]


def _each(
    faults: Faults, data: Any, name: str, build: Callable[[Any], Fields]
) -> dict[str, Fields]:
    """Rows of one list by code; duplicates and unreadable rows are faults."""
    result: dict[str, Fields] = {}
    for index, row in enumerate(faults.rows(data, name)):
        place = f"{name}[{row.get('code', index)}]"
        fields = faults.read(place, partial(build, row))
        if fields is None:
            continue
        faults.check(fields["code"] not in result, place, "this code appears twice")
        result[fields["code"]] = fields
    return result


def _text(row: Mapping[str, Any], name: str, *, limit: int = 120) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise ValueError(f"{name}: a text of 1 to {limit} characters is wanted")
    return value


def _number(row: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = row.get(name, default) if default is not None else row[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name}: a whole number >= 0 is wanted, not {str(value)[:20]}")
    return value


def _decimal(row: Mapping[str, Any], name: str) -> Decimal:
    value = row[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise ValueError(f"{name}: a number >= 0 is wanted, not {str(value)[:20]}")
    return Decimal(str(value))


def _meta(data: Mapping[str, Any]) -> Fields:
    return _site(data["meta"])


def _site(meta: Mapping[str, Any]) -> Fields:
    if meta["schema"] != SCHEMA:
        raise ValueError(f"schema {meta['schema']!r} is not {SCHEMA!r}")
    base = meta["base"]
    return {
        "code": _text(base, "code", limit=16),
        "name_zh": _text(base, "name_zh"),
        "name_en": _text(base, "name_en"),
        "district_zh": base.get("district_zh", ""),
        "district_en": base.get("district_en", ""),
        "timezone": _text(base, "timezone", limit=64),
        "area_m2": _decimal(meta, "total_area_m2"),
        "notice_zh": meta.get("notice_zh", ""),
        "notice_en": meta.get("notice_en", ""),
    }


def _floor(row: Mapping[str, Any]) -> Fields:
    return {
        "code": _text(row, "code", limit=16),
        "level": int(row["level"]),
        "name_zh": _text(row, "name_zh"),
        "name_en": _text(row, "name_en"),
        "area_m2": _decimal(row, "area_m2"),
        "outline": geometry.ring_of(row["outline"]),
    }


def _type(row: Mapping[str, Any]) -> Fields:
    slot_min = _number(row, "slot_min", 30)
    if slot_min == 0:
        raise ValueError("slot_min: must be > 0")
    return {
        "code": _text(row, "code", limit=32),
        "name_zh": _text(row, "name_zh"),
        "name_en": _text(row, "name_en"),
        "group": _text(row, "group", limit=32),
        "tariff_code": row.get("tariff") or "",
        "setup_min": _number(row, "setup_min", 0),
        "teardown_min": _number(row, "teardown_min", 0),
        "min_min": _number(row, "min_min", 60),
        "slot_min": slot_min,
    }


def _space(row: Mapping[str, Any]) -> Fields:
    ring = geometry.ring_of(row["polygon"])
    label_x, label_y = row["label_xy"]
    return {
        "code": _text(row, "code", limit=32),
        "floor": _text(row, "floor", limit=16),
        "type": _text(row, "type", limit=32),
        "name_zh": _text(row, "name_zh"),
        "name_en": _text(row, "name_en"),
        "area_m2": _decimal(row, "area_m2"),
        "polygon": ring,
        "label_xy": [float(label_x), float(label_y)],
        "capacity": _number(row, "capacity", 0),
        "booking_mode": BookingMode(row["booking_mode"]).value,
        "bookable": bool(row["bookable"]),
        "rentable_monthly": bool(row["rentable_monthly"]),
        "unit_count": row.get("unit_count"),
        "unit_name": row.get("unit", "") or "",
        "circuit_capacity_kw": _decimal(row, "circuit_capacity_kw"),
        "planning_load_kw": _decimal(row, "planning_load_kw"),
        "clear_height_m": Decimal(str(row["clear_height_m"]))
        if row.get("clear_height_m")
        else None,
        "features": [str(feature) for feature in row.get("features", [])],
        "device_kit": row.get("device_kit", "") or "",
    }


def _check_references(
    faults: Faults,
    data: Mapping[str, Any],
    floors: Mapping[str, Fields],
    types: Mapping[str, Fields],
    spaces: Mapping[str, Fields],
) -> None:
    """Rules between rows: known references, areas as drawn, loads that the circuit bears."""
    for code, space in spaces.items():
        place = f"spaces[{code}]"
        faults.check(space["floor"] in floors, place, f"floor {space['floor']} is unknown")
        faults.check(space["type"] in types, place, f"type {space['type']} is unknown")
        drawn = geometry.area(space["polygon"])
        stated = float(space["area_m2"])
        faults.check(
            abs(drawn - stated) < AREA_TOLERANCE_M2,
            place,
            f"area_m2 says {stated}, the polygon has {drawn}",
        )
        faults.check(
            space["planning_load_kw"] <= space["circuit_capacity_kw"],
            place,
            f"planning_load_kw {space['planning_load_kw']} exceeds the circuit",
        )
    for code, floor in floors.items():
        total = sum(float(s["area_m2"]) for s in spaces.values() if s["floor"] == code)
        faults.check(
            abs(total - float(floor["area_m2"])) < AREA_TOLERANCE_M2,
            f"floors[{code}]",
            f"area_m2 says {floor['area_m2']}, its spaces have {total}",
        )


def _save(
    site: Fields,
    floors: Mapping[str, Fields],
    types: Mapping[str, Fields],
    spaces: Mapping[str, Fields],
) -> None:
    base, _ = Site.objects.update_or_create(code=site["code"], defaults=site)
    floor_rows = {
        code: Floor.objects.update_or_create(code=code, defaults=row | {"site": base})[0]
        for code, row in floors.items()
    }
    type_rows = {
        code: SpaceType.objects.update_or_create(code=code, defaults=row)[0]
        for code, row in types.items()
    }
    for code, row in spaces.items():
        links = {"floor": floor_rows[row["floor"]], "type": type_rows[row["type"]]}
        Space.objects.update_or_create(code=code, defaults=row | links)


def load_tenants(data: Mapping[str, Any], *, shift: timedelta = timedelta(0)) -> dict[str, int]:
    """Create or update tenants from a file with a list "tenants"; dates move by `shift`.

    Raises:
        BrokenFile: with every fault found; nothing was imported.
    """
    faults = Faults()
    tenants = _each(faults, data, "tenants", lambda row: _tenant(row, shift))
    seen: dict[str, str] = {}
    for code, row in tenants.items():
        if row["uscc"]:
            other = seen.setdefault(row["uscc"], code)
            faults.check(other == code, f"tenants[{code}]", f"uscc is also that of {other}")
    faults.raise_any()
    with transaction.atomic():
        for code, row in tenants.items():
            Tenant.objects.update_or_create(code=code, defaults=row)
    return {"tenants": len(tenants)}


def _tenant(row: Mapping[str, Any], shift: timedelta) -> Fields:
    code = row["uscc"]
    if code is not None and not uscc.is_valid(code):
        raise ValueError(f"uscc: {str(code)[:18]} is not a valid social credit code")
    rating = row["compliance_rating"]
    if rating not in {"A", "B", "C", "D"}:
        raise ValueError(f"compliance_rating: {str(rating)[:8]} is none of A, B, C, D")
    return {
        "code": _text(row, "code", limit=16),
        "category": _text(row, "category", limit=32),
        "name_zh": _text(row, "name_zh", limit=160),
        "short_zh": _text(row, "short_zh", limit=80),
        "name_en": _text(row, "name_en", limit=160),
        "uscc": uscc.normalise(code) if code else None,
        "taxpayer_type": row.get("taxpayer_type") or "",
        "town_street": row.get("town_street") or "",
        "registered_in_panyu": bool(row["registered_in_panyu"]),
        "industry": row.get("industry") or "",
        "employees": _number(row, "employees", 0),
        "joined_on": date.fromisoformat(row["joined_on"]) + shift,
        "compliance_rating": rating,
        "tags": [str(tag) for tag in row.get("tags", [])],
        "billing_cycle": row.get("billing_cycle") or "monthly",
        "credit_limit_fen": money.fen(row.get("credit_limit_cny") or "0"),
        "invoice_type": row.get("invoice_type") or "",
        "status": row.get("status") or "active",
        "profile": dict(row),
    }
