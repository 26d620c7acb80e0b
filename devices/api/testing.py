"""Tests of devices: begin, follow, stop."""

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices import shown_registry
from devices.models import CommissioningRun, Device
from devices.schemas import registry as schemas
from devices.services import commissioning, living

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
SHOWN = 50


@router.post("/devices/{code}/tests", response={202: schemas.TestOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def start_test(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[schemas.TestOut]:
    """Test a device step by step; 202 means that the steps are planned."""
    run = commissioning.start_test(code=code, actor=auth.actor_of(request), now=clock.now())
    return Status(202, shown_registry.test(_runs().get(pk=run.pk)))


@router.get("/devices/{code}/tests", response={200: list[schemas.TestOut], codes_4xx: Problem})
@roles(*STAFF)
def list_tests(request: HttpRequest, code: str) -> list[schemas.TestOut]:
    """The latest tests of a device."""
    device = Device.objects.filter(code=code).first()
    if device is None:
        raise living.UnknownDevice(code[:64])
    return [shown_registry.test(run) for run in _runs().filter(device=device)[:SHOWN]]


@router.get("/device-tests/{run_id}", response={200: schemas.TestOut, codes_4xx: Problem})
@roles(*STAFF)
def read_test(request: HttpRequest, run_id: int) -> schemas.TestOut:
    """One test and how far it has got."""
    run = _runs().filter(pk=run_id).first()
    if run is None:
        raise commissioning.NoSuchTest(str(run_id))
    return shown_registry.test(run)


@router.post("/device-tests/{run_id}/abort", response={200: schemas.TestOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def abort_test(
    request: HttpRequest, run_id: int, idempotency_key: IdempotencyHeader
) -> Status[schemas.TestOut]:
    """Stop a test where it is."""
    commissioning.abort_test(run_id=run_id, actor=auth.actor_of(request), now=clock.now())
    return Status(200, shown_registry.test(_runs().get(pk=run_id)))


def _runs() -> QuerySet[CommissioningRun]:
    rows = CommissioningRun.objects.select_related("device", "place")
    return rows.prefetch_related("steps").order_by("-started_at", "-id")
