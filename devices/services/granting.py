"""Rights to control a room: given at check-in, moved with the end, taken back."""

import logging
from datetime import datetime

from django.db import transaction

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Space
from devices.domain import lifetimes
from devices.models import Device, Grant, StreamSession
from devices.models.registry import DeviceStatus
from devices.services import queueing, vault

logger = logging.getLogger(__name__)


def grant_control(
    *, space: Space, tenant_id: int, booking_code: str, until: datetime, now: datetime
) -> Grant:
    """Let a tenant control the devices of a space until an instant.

    Granting again for the same booking moves the end and starts a new epoch, so that commands of
    a revoked right stay dead.
    """
    with transaction.atomic():
        held = Grant.objects.select_for_update().filter(booking_code=booking_code).first()
        if held is None:
            held = Grant(booking_code=booking_code, granted_at=now)
        elif held.revoked_at is not None:
            held.epoch += 1
        held.space, held.tenant_id = space, tenant_id
        held.until, held.revoked_at = until, None
        held.save()
    logger.info("grant.given", extra={"booking": booking_code, "space": space.code})
    return held


def extend_grant(*, booking_code: str, until: datetime, now: datetime) -> None:
    """Move the end of a right; encoders and cameras of the show are told a later end at once."""
    with transaction.atomic():
        grant = (
            Grant.objects.select_for_update(of=("self",))
            .select_related("space")
            .filter(booking_code=booking_code, revoked_at=None)
            .first()
        )
        if grant is None:
            return
        later = until > grant.until
        grant.until = until
        grant.save(update_fields=["until"])
        if later:
            _prolong(grant, now=now)
            _keep_open(grant, now=now)


def _keep_open(grant: Grant, *, now: datetime) -> None:
    """Tell the cameras that would close by themselves when they now do."""
    until = round(grant.until.timestamp() * 1000)
    open_ones = Device.objects.filter(
        space=grant.space,
        status=DeviceStatus.ACTIVE,
        kind="camera",
        shadow__reported__privacy=False,
        shadow__reported__until__gt=0,
        shadow__reported__until__lt=until,
    )
    for camera in open_ones.select_related("model").order_by("pk"):
        queueing.send_command(
            device=camera,
            state={"until": until},
            actor=SYSTEM,
            booking_code=grant.booking_code,
            now=now,
            ttl_s=lifetimes.EXTENSION_S,
        )


def _prolong(grant: Grant, *, now: datetime) -> None:
    """Tell the streaming encoders of the room when they now stop by themselves."""
    streaming = StreamSession.objects.filter(space=grant.space, ended_at=None)
    for session in streaming.select_related("device__model").order_by("device_id"):
        queueing.send_command(
            device=session.device,
            state={"run": "live", "until": round(grant.until.timestamp() * 1000)},
            actor=SYSTEM,
            booking_code=grant.booking_code,
            now=now,
            ttl_s=lifetimes.EXTENSION_S,
        )


def revoke_control(*, booking_code: str, now: datetime) -> None:
    """Take the right back, and its stream target; what was queued under it is refused."""
    with transaction.atomic():
        for grant in Grant.objects.select_for_update().filter(
            booking_code=booking_code, revoked_at=None
        ):
            grant.revoked_at = now
            grant.epoch += 1
            grant.save(update_fields=["revoked_at", "epoch"])
        vault.wipe_of(booking_code, now=now)
