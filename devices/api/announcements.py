"""What foreign devices announced, and laying the ghosts of those that are gone."""

from django.http import HttpRequest
from ninja import Router, Status

from base_ops.core import auth, clock
from base_ops.core.auth import roles
from base_ops.core.errors import NotFound
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices.models import Foreign
from devices.schemas import registry as schemas
from devices.services import foreign

router = Router(tags=["devices"])
STAFF = (Role.MANAGER, Role.TECHNICIAN)


class NothingAnnounced(NotFound):
    """No such device, or one of our own convention, which announces nothing."""

    code, title_zh, title_en = "nothing_announced", "没有公布信息", "Nothing was announced"


@router.get(
    "/devices/{code}/announcements",
    response={200: schemas.AnnouncementsOut, codes_4xx: Problem},
)
@roles(*STAFF)
def read_announcements(request: HttpRequest, code: str) -> schemas.AnnouncementsOut:
    """The documents of a foreign device, and what it can be told by them."""
    row = Foreign.objects.select_related("device").filter(device__code=code).first()
    if row is None:
        raise NothingAnnounced(code[:64])
    return schemas.AnnouncementsOut(
        convention=row.convention,
        key=row.key,
        fault=row.fault,
        capabilities=row.able,
        documents=[
            schemas.AnnouncementOut(
                topic=d.topic,
                document=d.document,
                gone_at=d.gone_at,
                cleaning=d.clean_at is not None,
            )
            for d in foreign.documents(row.device).order_by("topic")
        ],
    )


@router.post("/devices/{code}/ghosts", response={202: schemas.GhostsOut, codes_4xx: Problem})
@roles(*STAFF)
@idempotent
def clean_ghosts(
    request: HttpRequest, code: str, wish: schemas.GhostsIn, idempotency_key: IdempotencyHeader
) -> Status[schemas.GhostsOut]:
    """Let the broker forget the announcements of a device that is not in service; confirmed."""
    count = foreign.clean_ghosts(
        code=code, actor=auth.actor_of(request), why=wish.why, now=clock.now()
    )
    return Status(202, schemas.GhostsOut(topics=count))
