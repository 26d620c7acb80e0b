"""Loads device models and devices of a base file: all of them, or nothing and every fault."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from base_ops.core.faults import Faults
from base_ops.core.models import Space
from devices import directory
from devices.models import Device, DeviceModel, Shadow
from devices.services import placing

_MODEL_FIELDS = ("kind", "brand", "model", "name_zh", "planning_power_w", "protocols", "telemetry")
_DEVICE_FIELDS = ("space", "model", "kind", "role")

Row = Mapping[str, Any]


def faults_of(data: Row) -> list[str]:
    """What keeps the devices of a base file from being loaded; nothing is loaded."""
    faults = Faults()
    _devices(faults, data, _models(faults, data))
    return faults.found


def load(data: Row, *, now: datetime) -> dict[str, int]:
    """Create or update models and devices; spaces must have been imported before.

    Args:
        data: the content of a base file: `device_models`, and `spaces` with `devices` each.
        now: unused so far by the rows; every importer takes it.

    Returns:
        How many rows of each kind the file has.

    Raises:
        BrokenFile: with every fault found; nothing was imported.
    """
    faults = Faults()
    models = _models(faults, data)
    rows = _devices(faults, data, models)
    faults.raise_any()
    with transaction.atomic():
        _save_models(models)
        _save_devices(rows)
    directory.forget()
    return {"device_models": len(models), "devices": len(rows)}


def _models(faults: Faults, data: Row) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for index, row in enumerate(faults.rows(data, "device_models")):
        place = f"device_models[{row.get('code', index)}]"
        code = faults.read(place, lambda row=row: _text(row, "code", 32))  # type: ignore[misc]
        if code is None:
            continue
        faults.check(code not in found, place, "this code appears twice")
        for name, limit in (("kind", 24), ("brand", 80), ("model", 120), ("name_zh", 120)):
            faults.read(place, lambda row=row, n=name, m=limit: _text(row, n, m))  # type: ignore[misc]
        faults.read(place, lambda row=row: _watts(row))  # type: ignore[misc]
        found[code] = row
    return found


def _devices(faults: Faults, data: Row, models: Mapping[str, Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for space in faults.rows(data, "spaces"):
        rows = faults.rows(space, "devices") if "devices" in space else []
        for index, row in enumerate(rows):
            place = f"spaces[{space.get('code')}].devices[{row.get('tag', index)}]"
            tag = faults.read(place, lambda row=row: _text(row, "tag", 64))  # type: ignore[misc]
            if tag is None:
                continue
            faults.check(tag not in found, place, "this tag appears twice")
            model = models.get(str(row.get("model")))
            if faults.check(model is not None, place, f"model {row.get('model')} is unknown"):
                same = model is not None and model.get("kind") == row.get("kind")
                faults.check(same, place, f"kind {row.get('kind')} is not that of its model")
            found[tag] = {**row, "space": space.get("code")}
    return found


def _text(row: Row, name: str, limit: int) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise ValueError(f"{name}: a text of 1 to {limit} characters is wanted")
    return value


def _watts(row: Row) -> int:
    value = row.get("planning_power_w", 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("planning_power_w: a whole number >= 0 is wanted")
    return value


def _save_models(models: Mapping[str, Row]) -> None:
    known = {"code", *_MODEL_FIELDS}
    DeviceModel.objects.bulk_create(
        [
            DeviceModel(
                code=code,
                **{name: row[name] for name in _MODEL_FIELDS if name in row},
                details={key: value for key, value in row.items() if key not in known},
            )
            for code, row in models.items()
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[*_MODEL_FIELDS, "details"],
    )


def _save_devices(rows: Mapping[str, Row]) -> None:
    spaces = {s.code: s for s in Space.objects.all()}
    models = {m.code: m for m in DeviceModel.objects.all()}
    Device.objects.bulk_create(
        [
            Device(
                code=tag,
                space=spaces[row["space"]],
                model=models[row["model"]],
                kind=row["kind"],
                role=row.get("role") or "",
            )
            for tag, row in rows.items()
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=_DEVICE_FIELDS,
    )
    ids = Device.objects.filter(code__in=rows).values_list("pk", flat=True)
    Shadow.objects.bulk_create([Shadow(device_id=pk) for pk in ids], ignore_conflicts=True)
    placing.settle(set(ids))
