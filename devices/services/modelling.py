"""Models of devices and the registry's own settings are data that people edit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, NotFound
from devices import directory
from devices.domain import limits
from devices.models import DeviceModel, RegistrySettings
from devices.services import quarantine


class NoSuchModel(NotFound):
    """No model has this code."""

    code, title_zh, title_en = "no_such_model", "没有此型号", "No such model"


class ModelExists(Conflict):
    """A model has this code."""

    code, title_zh, title_en = "model_exists", "型号编号已存在", "The model exists"


@dataclass(frozen=True, slots=True)
class ModelWish:
    """What people say about a model; `kind` only counts when it is new."""

    kind: str
    brand: str
    model: str
    name_zh: str
    planning_power_w: int
    firmware: str
    limits: Mapping[str, Any]


def add_model(*, code: str, wish: ModelWish, actor: Actor, now: datetime) -> DeviceModel:
    """Add a model.

    Raises:
        ModelExists, limits.BadLimits.
    """
    limits.check(wish.limits)
    with transaction.atomic():
        row, is_new = DeviceModel.objects.get_or_create(code=code, defaults=_columns(wish))
        if not is_new:
            raise ModelExists(code)
        _record(row, "device_model.add", {}, actor, now)
    return row


def edit_model(
    *, code: str, wish: ModelWish, actor: Actor, check: Callable[[int], None], now: datetime
) -> DeviceModel:
    """Change a model; its devices can be told the new limits at once.

    Raises:
        NoSuchModel, limits.BadLimits; and what `check` raises of its version.
    """
    limits.check(wish.limits)
    with transaction.atomic():
        row = DeviceModel.objects.select_for_update().filter(code=code).first()
        if row is None:
            raise NoSuchModel(code[:32])
        check(row.version)
        before = _shown(row)
        for name, value in _columns(wish).items():
            if name != "kind":  # its devices are of this kind
                setattr(row, name, value)
        row.version += 1
        row.save()
        _record(row, "device_model.edit", before, actor, now)
    directory.forget()
    return row


def _columns(wish: ModelWish) -> dict[str, Any]:
    return {
        "kind": wish.kind,
        "brand": wish.brand,
        "model": wish.model,
        "name_zh": wish.name_zh,
        "planning_power_w": wish.planning_power_w,
        "firmware": wish.firmware,
        "limits": dict(wish.limits),
    }


def _shown(row: DeviceModel) -> dict[str, Any]:
    names = ("brand", "model", "name_zh", "planning_power_w", "firmware", "limits")
    return {name: getattr(row, name) for name in names}


def _record(
    row: DeviceModel, action: str, before: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    after = _shown(row)
    changed = {name for name in after if before.get(name) != after[name]}
    audit.record(
        actor=actor,
        action=action,
        object_type="device_model",
        object_code=row.code,
        before={name: before[name] for name in sorted(changed) if name in before},
        after={name: after[name] for name in sorted(changed)},
        now=now,
    )


@dataclass(frozen=True, slots=True)
class SettingsWish:
    """The limits for strangers, and whether somebody must approve an adoption."""

    adoption_needs_approval: bool
    max_waiting: int
    max_newcomers_per_hour: int
    keep_silent_days: int


def edit_settings(
    *, wish: SettingsWish, actor: Actor, check: Callable[[int], None], now: datetime
) -> RegistrySettings:
    """Change the registry's settings; raises what `check` raises of their version."""
    names = (
        "adoption_needs_approval", "max_waiting", "max_newcomers_per_hour", "keep_silent_days",
    )  # fmt: skip
    with transaction.atomic():
        RegistrySettings.objects.get_or_create(pk=1)
        row = RegistrySettings.objects.select_for_update().get(pk=1)
        check(row.version)
        before = {name: getattr(row, name) for name in names}
        for name in names:
            setattr(row, name, getattr(wish, name))
        row.version += 1
        row.save()
        audit.record(
            actor=actor,
            action="registry.settings",
            object_type="registry_settings",
            object_code="registry",
            before=before,
            after={name: getattr(row, name) for name in names},
            now=now,
        )
    quarantine.forget()
    return row
