"""Strangers come into service: proposed by one, approved by another."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, pages
from base_ops.core.auth import roles
from base_ops.core.errors import FieldFault
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role, Space
from base_ops.core.pages import Page
from base_ops.core.problems import Problem, codes_4xx
from devices import shown_registry
from devices.models import DeviceModel
from devices.schemas import registry as schemas
from devices.selectors import registry as reads
from devices.services import adopting

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)
Status_ = Literal["", "proposed", "approved", "refused", "withdrawn"]


class UnknownModel(errors.Invalid):
    """The request names a model that does not exist."""

    code, title_zh, title_en = "unknown_model", "没有该型号", "No such model"


class UnknownSpace(errors.Invalid):
    """The request names a space that does not exist."""

    code, title_zh, title_en = "unknown_space", "没有该空间", "No such space"


@router.post("/devices/{code}/adoptions", response={201: schemas.AdoptionOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def propose_adoption(
    request: HttpRequest, code: str, wish: schemas.AdoptionIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.AdoptionOut]:
    """Propose where a stranger is to serve and as what; in force at once without approval."""
    row = adopting.propose_adoption(
        code=code,
        wish=adopting.AdoptionWish(
            model=_model(wish.model),
            space=space_named(wish.space),
            place_code=wish.place or code,
            role=wish.role,
            why=wish.why,
        ),
        actor=auth.actor_of(request),
        now=clock.now(),
    )
    return Status(201, shown_registry.adoption(row))


@router.get("/device-adoptions", response={200: Page[schemas.AdoptionOut], codes_4xx: Problem})
@roles(*STAFF)
def list_adoptions(
    request: HttpRequest,
    status: Status_ = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=pages.MAX_LIMIT)] = 100,
) -> Page[schemas.AdoptionOut]:
    """Proposals, the latest first."""
    rows, following = pages.cut(
        reads.adoptions(status), by="proposed_at", descending=True, cursor=cursor, limit=limit
    )
    return Page(items=[shown_registry.adoption(row) for row in rows], next=following)


@router.post(
    "/device-adoptions/{adoption_id}/approve",
    response={200: schemas.AdoptionOut, codes_4xx: Problem},
)
@roles(Role.MANAGER)
@idempotent
def approve_adoption(
    request: HttpRequest,
    adoption_id: int,
    wish: schemas.DecisionIn,
    idempotency_key: IdempotencyHeader,
) -> Status[schemas.AdoptionOut]:
    """Take the stranger into service as proposed; not one's own proposal."""
    row = adopting.approve_adoption(
        adoption_id=adoption_id, actor=auth.actor_of(request), why=wish.why, now=clock.now()
    )
    return Status(200, shown_registry.adoption(row))


@router.post(
    "/device-adoptions/{adoption_id}/refuse",
    response={200: schemas.AdoptionOut, codes_4xx: Problem},
)
@roles(*STAFF)
@idempotent
def refuse_adoption(
    request: HttpRequest,
    adoption_id: int,
    wish: schemas.DecisionIn,
    idempotency_key: IdempotencyHeader,
) -> Status[schemas.AdoptionOut]:
    """Turn a proposal down, or withdraw one's own; the stranger waits on."""
    row = adopting.refuse_adoption(
        adoption_id=adoption_id, actor=auth.actor_of(request), why=wish.why, now=clock.now()
    )
    return Status(200, shown_registry.adoption(row))


def _model(code: str) -> DeviceModel:
    row = DeviceModel.objects.filter(code=code).first()
    if row is None:
        raise UnknownModel(code, fields=[_fault("model", UnknownModel)])
    return row


def space_named(code: str) -> Space:
    """The space of that code.

    Raises:
        UnknownSpace: there is none.
    """
    row = Space.objects.filter(code=code).first()
    if row is None:
        raise UnknownSpace(code, fields=[_fault("space", UnknownSpace)])
    return row


def _fault(name: str, kind: type[errors.DomainError]) -> FieldFault:
    return FieldFault(name, kind.title_zh, kind.title_en)
