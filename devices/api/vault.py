"""The stream target of the caller's own booking: written, replaced, taken back; never read out."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, SecretStr

from base_ops.core import auth, clock
from base_ops.core.problems import Problem, codes_4xx
from devices.api import common
from devices.services import vault

router = Router(tags=["devices"])


class StreamTargetIn(Schema):
    """Where to stream to and with which key; neither is ever shown again."""

    url: str = Field(pattern=r"^(rtmp|rtmps|srt)://[^\s]+$", max_length=500)
    key: SecretStr = Field(min_length=1, max_length=500)


class StreamTargetOut(Schema):
    """Its name, as encoders are told it, and when it is deleted at the latest."""

    target_ref: str
    set_at: datetime
    until: datetime


@router.put("/spaces/{code}/stream-target", response={200: StreamTargetOut, codes_4xx: Problem})
def set_stream_target(request: HttpRequest, code: str, wish: StreamTargetIn) -> StreamTargetOut:
    """Keep the target of one's own running booking; deleted at its end."""
    now = clock.now()
    row = vault.keep(
        space=common.space_of(request, code, now),
        url=wish.url,
        key=wish.key.get_secret_value(),
        actor=auth.actor_of(request),
        now=now,
    )
    return StreamTargetOut(target_ref=row.ref, set_at=row.set_at, until=row.grant.until)


@router.delete("/spaces/{code}/stream-target", response={204: None, codes_4xx: Problem})
def wipe_stream_target(request: HttpRequest, code: str) -> Status[None]:
    """Delete it now; again is harmless."""
    now = clock.now()
    space = common.space_of(request, code, now)
    vault.take_out(space=space, actor=auth.actor_of(request), now=now)
    return Status(204, None)
