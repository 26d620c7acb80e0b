"""Models of devices: what their devices can be told, and which firmware they should run."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices import shown_registry
from devices.schemas import registry as schemas
from devices.selectors import registry as reads
from devices.services import modelling
from devices.services.modelling import ModelWish

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)


@router.get("/device-models", response={200: list[schemas.ModelOut], codes_4xx: Problem})
@roles(*STAFF)
def list_models(request: HttpRequest) -> list[schemas.ModelOut]:
    """All models, and how many devices are of each."""
    return [
        shown_registry.model(row, devices=row.device_count)  # type: ignore[attr-defined]
        for row in reads.device_models()
    ]


@router.get("/device-models/{code}", response={200: schemas.ModelOut, codes_4xx: Problem})
@roles(*STAFF)
def read_model(request: HttpRequest, response: HttpResponse, code: str) -> schemas.ModelOut:
    """One model and its ETag."""
    return _shown(response, code)


@router.post("/device-models", response={201: schemas.ModelOut, codes_4xx: Problem})
@roles(Role.MANAGER)
@idempotent
def add_model(
    request: HttpRequest, wish: schemas.ModelNewIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.ModelOut]:
    """Add a model."""
    row = modelling.add_model(
        code=wish.code, wish=_wish(wish), actor=auth.actor_of(request), now=clock.now()
    )
    return Status(201, shown_registry.model(row, devices=0))


@router.put("/device-models/{code}", response={200: schemas.ModelOut, codes_4xx: Problem})
@roles(Role.MANAGER)
def edit_model(
    request: HttpRequest, response: HttpResponse, code: str, wish: schemas.ModelIn
) -> schemas.ModelOut:
    """Change a model, but for its kind; needs its ETag."""
    modelling.edit_model(
        code=code,
        wish=_wish(wish),
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _shown(response, code)


def _shown(response: HttpResponse, code: str) -> schemas.ModelOut:
    row = reads.device_models().filter(code=code).first()
    if row is None:
        raise modelling.NoSuchModel(code[:32])
    response["ETag"] = etags.etag_of(row.version)
    return shown_registry.model(row, devices=row.device_count)  # type: ignore[attr-defined]


def _wish(wish: schemas.ModelIn) -> ModelWish:
    return ModelWish(
        kind=wish.kind,
        brand=wish.brand,
        model=wish.model,
        name_zh=wish.name_zh,
        planning_power_w=wish.planning_power_w,
        firmware=wish.firmware,
        limits=wish.limits,
    )
