"""Strangers wait in quarantine: so many at a time and so many an hour, however many knock."""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from base_ops.core import audit
from base_ops.core.actors import SYSTEM, Actor
from devices import directory, selectors
from devices.domain import admission
from devices.domain.admission import Caps, Crowd
from devices.domain.messages import Meta
from devices.models import Device, RegistrySettings
from devices.models.registry import DeviceStatus
from devices.services import announce, living

logger = logging.getLogger(__name__)
HOUR = timedelta(hours=1)
SHUT_FOR = timedelta(seconds=1)
MAX_META_BYTES = 4096
FORGET_AT_ONCE = 500
_LOCK = 7_203_001  # of all bridges together: who counts, admits


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who says what it is."""

    code: str
    kind: str
    meta: Mapping[str, Any]
    convention: str = "wb1"


class _Door:
    """Shut for a second after somebody was turned away: a flood asks the database no more."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.shut_until: datetime | None = None

    def is_shut(self, now: datetime) -> bool:
        until = self.shut_until
        return until is not None and until - SHUT_FOR <= now < until


_door = _Door()


def forget() -> None:
    """Open the door: after the limits were raised, or the database was changed by others."""
    _door.shut_until = None


def strangers_of(metas: Sequence[Meta]) -> list[Stranger]:
    """Those who said what they are in our own convention, the latest word of each."""
    said = {m.device: m for m in metas}
    return [Stranger(m.device, m.kind, bounded(meta_json(m))) for m in said.values()]


def meta_json(meta: Meta) -> dict[str, object]:
    """What a device says it is, as it is kept."""
    return {
        "kind": meta.kind,
        "model": meta.model,
        "firmware": meta.firmware,
        "serial": meta.serial,
        "ranges": dict(meta.ranges),
    }


def keep_meta(said: Mapping[int, Meta], *, now: datetime) -> None:
    """Keep what known devices say they are, where it changed; strangers are heard again."""
    changed = []
    for device in Device.objects.filter(pk__in=said):
        meta = meta_json(said[device.pk])
        if device.status == DeviceStatus.QUARANTINE:
            meta, device.heard_at = bounded(meta), now
        elif device.meta == meta:
            continue
        device.meta = meta
        changed.append(device)
    Device.objects.bulk_update(changed, ["meta", "heard_at"])


def bounded(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The part of it that a stranger may leave with us: not what is too long."""
    kept = dict(meta)
    if len(json.dumps(kept, ensure_ascii=False).encode()) > MAX_META_BYTES:
        kept["ranges"] = {}
    return kept


def admit(strangers: Sequence[Stranger], *, now: datetime, changes: announce.Changes) -> int:
    """Put strangers into quarantine, as many as may come; returns how many were new.

    One that already waits is only heard again. Within the caller's transaction.
    """
    if not strangers or _door.is_shut(now):
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    known = set(
        Device.objects.filter(code__in=[s.code for s in strangers]).values_list("code", flat=True)
    )
    Device.objects.filter(code__in=known, status=DeviceStatus.QUARANTINE).update(heard_at=now)
    new = [s for s in strangers if s.code not in known]
    if not new:
        return 0
    limits = selectors.registry_settings()
    verdict = admission.judge(len(new), _crowd(now), _caps(limits))
    if verdict.reason:
        _door.shut_until = now + SHUT_FOR
        turned_away = len(new) - verdict.admitted
        logger.warning(
            "device.turned_away", extra={"count": turned_away, "reason": verdict.reason}
        )
        changes.registry["turned_away"] = {"reason": verdict.reason, "at": now.isoformat()}
    admitted = new[: verdict.admitted]
    Device.objects.bulk_create([_device(s, now) for s in admitted])
    if admitted:
        directory.forget()
        living.note(changes, admitted[-1].code, DeviceStatus.QUARANTINE, now)
    return len(admitted)


def _device(stranger: Stranger, now: datetime) -> Device:
    return Device(
        code=stranger.code,
        kind=stranger.kind[:24],
        status=DeviceStatus.QUARANTINE,
        convention=stranger.convention,
        meta=dict(stranger.meta),
        first_heard_at=now,
        heard_at=now,
    )


def _crowd(now: datetime) -> Crowd:
    return Crowd(
        waiting=Device.objects.filter(status=DeviceStatus.QUARANTINE).count(),
        lately=Device.objects.filter(first_heard_at__gt=now - HOUR).count(),
    )


def _caps(limits: RegistrySettings) -> Caps:
    return Caps(waiting=limits.max_waiting, per_hour=limits.max_newcomers_per_hour)


def forget_silent(now: datetime) -> int:
    """Forget strangers that said nothing for long; they may come again.

    Foreign ones are there as long as they are announced.
    """
    days = selectors.registry_settings().keep_silent_days
    rows = Device.objects.filter(
        status=DeviceStatus.QUARANTINE, convention="wb1", heard_at__lt=now - timedelta(days=days)
    )
    codes = list(rows.values_list("code", flat=True)[:FORGET_AT_ONCE])
    return dismiss(codes=codes, actor=SYSTEM, why="silent", now=now) if codes else 0


def dismiss(*, codes: Sequence[str], actor: Actor, why: str, now: datetime) -> int:
    """Forget strangers without judging them: to make room. Returns how many there were."""
    with transaction.atomic():
        rows = Device.objects.select_for_update(of=("self",)).filter(
            code__in=codes, status=DeviceStatus.QUARANTINE, commands=None
        )
        found = list(rows.order_by("pk").values_list("pk", "code"))
        if not found:
            return 0
        Device.objects.filter(pk__in=[pk for pk, _ in found]).delete()
        directory.forget()
        audit.record(
            actor=actor,
            action="quarantine.dismiss",
            object_type="device",
            object_code=found[0][1],
            after={"devices": [code for _, code in found], "why": why},
            now=now,
        )
        changes = announce.Changes()
        living.note(changes, found[-1][1], "", now)
        announce.tell(changes, now=now)
    forget()
    return len(found)
