"""Keep equipment pools: what there is to borrow, and which things are in service."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from base_ops.core import audit, errors
from base_ops.core.actors import Actor
from base_ops.core.models import Space
from billing.domain.catalog import NotPriced
from billing.domain.rating import find_service
from billing.domain.texts import local_day
from billing.selectors import price_book
from booking.models import Allocation, EquipmentPool, EquipmentUnit
from booking.services import locking


class UnitInUse(errors.Conflict):
    """Things that somebody booked cannot be taken out of service; move those bookings first."""

    code, title_zh, title_en = "unit_in_use", "器材已被预订", "Booked equipment stays in service"


class UnknownService(errors.Invalid):
    """The price list has no such service by the hour."""

    code, title_zh, title_en = "unknown_service", "价目中没有该服务", "No such service is priced"


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a pool as it shall be."""

    number: int
    label: str = ""
    in_service: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A pool as it shall be."""

    code: str
    name_zh: str
    name_en: str
    things: Sequence[Thing]
    home: Space | None = None
    service_code: str = ""
    setup_min: int = 0
    teardown_min: int = 0


def keep_pool(
    *,
    plan: Plan,
    actor: Actor,
    check: Callable[[EquipmentPool | None], None] = lambda row: None,
    now: datetime,
) -> EquipmentPool:
    """Create the pool or make it as planned; things left out go out of service.

    `check` sees the locked row, or None when there is none yet: it compares versions.

    Raises:
        UnknownService: it could not be priced.
        UnitInUse: a thing that goes out of service is booked from `now` on; names the bookings.
    """
    _check_priced(plan.service_code, now=now)
    with transaction.atomic():
        known = EquipmentPool.objects.filter(code=plan.code).values_list("pk", flat=True).first()
        row = locking.lock_pools([known])[0] if known else None
        check(row)
        before = _as_json(row)
        row = row or EquipmentPool(code=plan.code, version=0)
        for name in ("name_zh", "name_en", "home", "service_code", "setup_min", "teardown_min"):
            setattr(row, name, getattr(plan, name))
        row.version += 1
        row.save()
        _keep_units(row, plan.things, now=now)
        audit.record(
            actor=actor, action="equipment.keep", object_type="equipment_pool",
            object_code=row.code, before=before, after=_as_json(row), now=now,
        )  # fmt: skip
    return row


def _check_priced(service_code: str, *, now: datetime) -> None:
    if not service_code:
        return
    try:
        service, _ = find_service(service_code, book=price_book().on(local_day(now)))
    except NotPriced as exc:
        raise UnknownService(service_code, fields=[_fault()]) from exc
    if service.unit != "hour":
        raise UnknownService(f"{service_code} is not priced by the hour", fields=[_fault()])


def _fault() -> errors.FieldFault:
    return errors.FieldFault(
        "service_code", UnknownService.title_zh, "Name a service that is priced by the hour"
    )


def _keep_units(pool: EquipmentPool, things: Iterable[Thing], *, now: datetime) -> None:
    wanted = {thing.number: thing for thing in things}
    kept = {unit.number: unit for unit in pool.units.all()}
    out = {
        number
        for number, unit in kept.items()
        if unit.in_service and not (number in wanted and wanted[number].in_service)
    }
    _check_unused(pool, out, now=now)
    EquipmentUnit.objects.bulk_create(
        EquipmentUnit(pool=pool, **asdict(thing)) for n, thing in wanted.items() if n not in kept
    )
    for number, unit in kept.items():
        thing = wanted.get(number, Thing(number, unit.label, in_service=False))
        if (unit.label, unit.in_service) != (thing.label, thing.in_service):
            unit.label, unit.in_service = thing.label, thing.in_service
            unit.save(update_fields=["label", "in_service"])


def _check_unused(pool: EquipmentPool, numbers: set[int], *, now: datetime) -> None:
    taken = Allocation.objects.filter(
        pool=pool, unit__in=numbers, active=True, block__endswith__gt=now
    ).exclude(expires_at__lte=now)
    if users := sorted(set(taken.values_list("booking__code", flat=True))):
        raise UnitInUse(f"{pool.code} is booked", bookings=users)


def _as_json(row: EquipmentPool | None) -> dict[str, object] | None:
    if row is None:
        return None
    units = {u.number: u.in_service for u in EquipmentUnit.objects.filter(pool=row)}
    return {
        "name_zh": row.name_zh,
        "service_code": row.service_code,
        "in_service": sorted(n for n, on in units.items() if on),
        "version": row.version,
    }
