"""Foreign devices: their announcements are kept, their memories saved, their ghosts laid.

A topic announces devices, and what it says replaces what it said before. A stranger lets its
announcements wait in quarantine with it, within bounds; withdrawn, it is gone. A device in service
of which nothing is announced any more is an orphan: it stays, and whoever looks sees it.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from base_ops.core import audit, db
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict
from devices import directory
from devices.domain import limits
from devices.domain.commands import Status
from devices.domain.conventions.convention import About, Announced, Announcement, Memory
from devices.domain.conventions.known import CONVENTIONS
from devices.domain.conventions.refusal import CodecError
from devices.domain.messages import Incoming
from devices.models import Device, Foreign, ForeignDocument
from devices.models.registry import DeviceStatus
from devices.services import announce, living, outbox, quarantine
from devices.services.ingest import ingest
from devices.services.quarantine import Stranger

logger = logging.getLogger(__name__)
MAX_DOCUMENT_BYTES = 32 * 1024
MAX_DOCUMENTS = 128
MAX_KEY = 200
CLEANED_AT_ONCE = 100
SHORT = {"homeassistant": "ha", "zigbee2mqtt": "z2m"}
_SLUG = re.compile(r"[^A-Za-z0-9_-]+")


class SharedAnnouncement(Conflict):
    """The topic announces other devices too: the broker must not forget it."""

    code, title_zh, title_en = (
        "shared_announcement",
        "该主题还公布了其他设备,不能清除",
        "The topic announces other devices too",
    )


class StillServing(Conflict):
    """It is in service and announced: retire it first, or let its maker withdraw it."""

    code, title_zh, title_en = (
        "still_serving",
        "设备仍在使用,不能清除其公布信息",
        "The device is still in service",
    )


def code_of(convention: str, key: str) -> str:
    """What we call a foreign device: readable, and unlike any other."""
    slug = _SLUG.sub("_", key).strip("_-")[:40]
    code = f"{SHORT.get(convention, convention)}-{slug}"
    return code if slug == key else f"{code}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Word:
    """An announcement, and the convention in which it was made."""

    convention: str
    said: Announcement


def announced(words: Sequence[Word], now: datetime) -> set[int]:
    """Keep what was announced; returns the devices of which something changed."""
    latest = {(w.convention, w.said.topic): w for w in words if not w.said.moving}
    if not latest:
        return set()
    return db.in_transaction(lambda: _announced(list(latest.values()), now))


def _announced(words: Sequence[Word], now: datetime) -> set[int]:
    with transaction.atomic():
        changes = announce.Changes()
        known = _known(words, now, changes)
        changed = _kept(words, known, now) | _withdrawn(words, known, now)
        for device in Device.objects.select_for_update().filter(pk__in=changed).order_by("pk"):
            _settle(device, changes, now)
        announce.tell(changes, now=now)
    if changed:
        directory.forget()
    return changed


Key = tuple[str, str]


def _known(words: Sequence[Word], now: datetime, changes: announce.Changes) -> dict[Key, Device]:
    """The devices that were announced, strangers among them as far as they may come in."""
    about: dict[Key, list[About]] = {}
    for word in words:
        for one in word.said.devices:
            about.setdefault((word.convention, one.key), []).append(one.about)
    codes = {key: code_of(*key) for key in about}
    strangers = [
        Stranger(codes[key], merged(said).kind, quarantine.bounded(_meta(said)), key[0])
        for key, said in about.items()
    ]
    quarantine.admit(strangers, now=now, changes=changes)
    rows = {d.code: d for d in Device.objects.filter(code__in=codes.values())}
    found = {
        key: rows[code]
        for key, code in codes.items()
        if code in rows and rows[code].convention == key[0]
    }
    Foreign.objects.bulk_create(
        [Foreign(device=d, convention=c, key=_stored(k)) for (c, k), d in found.items()],
        ignore_conflicts=True,
    )
    return found


def _stored(key: str) -> str:
    """A key that fits its column, and stays unlike others."""
    if len(key) <= MAX_KEY:
        return key
    return f"{key[: MAX_KEY - 9]} {hashlib.sha256(key.encode()).hexdigest()[:8]}"


def merged(said: Iterable[About]) -> About:
    """What all of a device's announcements say it is: the first word of each."""
    facts: dict[str, str] = {}
    for about in said:
        for name, value in asdict(about).items():
            if value and not facts.get(name):
                facts[name] = value
    return About(**facts)


def _meta(said: Sequence[About]) -> dict[str, Any]:
    return {**asdict(merged(said)), "ranges": {}}


def _kept(words: Sequence[Word], known: Mapping[Key, Device], now: datetime) -> set[int]:
    """Store new and changed documents; returns whose they are."""
    wanted: dict[tuple[int, str], ForeignDocument] = {}
    for word in words:
        for one in word.said.devices:
            device = known.get((word.convention, one.key))
            if device is not None and device.status != DeviceStatus.RETIRED and _fits(one):
                row = ForeignDocument(
                    device=device,
                    convention=word.convention,
                    topic=word.said.topic,
                    document=_plain(one.document),
                    about=asdict(one.about),
                )
                wanted[device.pk, word.said.topic] = row
    rows = ForeignDocument.objects.filter(device_id__in={pk for pk, _ in wanted})
    before = {(row.device_id, row.topic): row for row in rows}
    counts: dict[int, int] = {}
    for pk, _ in before:
        counts[pk] = counts.get(pk, 0) + 1
    changed = []
    for key, row in wanted.items():
        old = before.get(key)
        if old is None:
            counts[key[0]] = counts.get(key[0], 0) + 1
        same = old and (old.document, old.about, old.gone_at) == (row.document, row.about, None)
        if not same and counts[key[0]] <= MAX_DOCUMENTS:
            changed.append(row)
    ForeignDocument.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["device", "topic"],
        update_fields=["document", "about", "gone_at", "clean_at"],
    )
    return {row.device_id for row in changed}


def documents(device: Device) -> QuerySet[ForeignDocument]:
    """All that was announced about a device, what was withdrawn included."""
    return ForeignDocument.objects.filter(device=device)


def _fits(one: Announced) -> bool:
    size = len(msgspec.json.encode(one.document))
    if size > MAX_DOCUMENT_BYTES:
        logger.warning("foreign.document_too_long", extra={"key": one.key[:80], "bytes": size})
    return size <= MAX_DOCUMENT_BYTES


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """As the database gives it back."""
    plain: dict[str, Any] = json.loads(msgspec.json.encode(document))
    return plain


def _withdrawn(words: Sequence[Word], known: Mapping[Key, Device], now: datetime) -> set[int]:
    """Note what the topics no longer announce; returns of whom."""
    still: dict[str, set[int]] = {}
    for word in words:
        ids = {
            device.pk
            for one in word.said.devices
            if (device := known.get((word.convention, one.key))) is not None
        }
        still[word.said.topic] = ids
    rows = ForeignDocument.objects.filter(
        convention__in={w.convention for w in words}, topic__in=still, gone_at=None
    )
    gone = [row for row in rows if row.device_id not in still[row.topic]]
    ForeignDocument.objects.filter(pk__in=[row.pk for row in gone]).update(gone_at=now)
    return {row.device_id for row in gone}


def _settle(device: Device, changes: announce.Changes, now: datetime) -> None:
    """What follows for a device of which other things are announced than before."""
    rows = list(documents(device).order_by("topic"))
    live = [row for row in rows if row.gone_at is None]
    if not live and device.status == DeviceStatus.QUARANTINE:
        device.delete()
        living.note(changes, device.code, "", now)
        return
    orphaned_at = None if live else device.orphaned_at or now
    if orphaned_at != device.orphaned_at:
        device.orphaned_at, device.version = orphaned_at, device.version + 1
        living.note(changes, device.code, device.status, now)
        logger.info("device.orphaned" if orphaned_at else "device.announced_again",
                    extra={"device": device.code})  # fmt: skip
    if live:
        about = [About(**row.about) for row in live]
        device.meta = quarantine.bounded(_meta(about))
        if device.status == DeviceStatus.QUARANTINE:
            device.kind = merged(about).kind[:24]
        _describe(device, {row.topic: row.document for row in live})
    device.save()


def _describe(device: Device, documents: Mapping[str, Any]) -> None:
    """What it can be told, or why nobody can say."""
    able: dict[str, Any] = {}
    fault = ""
    try:
        binding = CONVENTIONS[device.convention].bind(documents, device.code)
        able = limits.describe(binding.capabilities)
    except CodecError as exc:
        fault = (str(exc) or exc.reason)[:300]
    Foreign.objects.filter(device=device).update(able=able, fault=fault)


@dataclass(frozen=True, slots=True)
class Row:
    """A foreign device in service, as a bridge binds it; `digest` tells its documents apart."""

    device_id: int
    code: str
    convention: str
    digest: str


_IN_SERVICE = """
SELECT d.id, d.code, d.convention, md5(string_agg(t.topic || t.document::text, ' ' ORDER BY topic))
  FROM devices_device d JOIN devices_foreigndocument t ON t.device_id = d.id
 WHERE d.status IN ('active', 'maintenance')
   AND (t.gone_at IS NULL OR d.orphaned_at IS NOT NULL)
 GROUP BY d.id ORDER BY d.id
"""


def in_service() -> list[Row]:
    """All foreign devices that are listened to; an orphan by what was last announced of it."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_SERVICE)
        return [Row(*row) for row in cursor.fetchall()]


def documents_of(device_id: int) -> tuple[dict[str, Any], Memory | None]:
    """What a device announced, by topic; and what its binding remembered last."""
    foreign = Foreign.objects.select_related("device").get(device_id=device_id)
    rows = ForeignDocument.objects.filter(device_id=device_id)
    if foreign.device.orphaned_at is None:
        rows = rows.filter(gone_at=None)
    return dict(rows.values_list("topic", "document")), foreign.memory


_REMEMBER = """
UPDATE devices_foreign f SET memory = n.memory
FROM json_to_recordset(%s::json) AS n(id bigint, memory jsonb) WHERE f.device_id = n.id
"""


def heard(
    said: Sequence[Incoming],
    memories: Mapping[int, Memory],
    published: Sequence[str],
    now: datetime,
) -> None:
    """Take in what foreign devices said, with what is to be remembered of it, as one.

    `published` are commands that the broker took meanwhile.
    """  # fmt: skip

    def work() -> None:
        with transaction.atomic():
            if memories:
                rows = [{"id": pk, "memory": memory} for pk, memory in sorted(memories.items())]
                with connection.cursor() as cursor:
                    cursor.execute(_REMEMBER, [msgspec.json.encode(rows).decode()])
            if published:
                outbox.commands_published(published, now)
            if said:
                ingest(said, now)

    db.in_transaction(work)


def refuse_command(*, command_id: str, device_id: int, code: str, now: datetime) -> None:
    """Close a command that the device's convention has no words for."""
    with transaction.atomic():
        changes = announce.Changes()
        end = outbox.Close(command_id, device_id, Status.REJECTED, code[:64], answered=True)
        outbox.close([end], now=now, changes=changes)
        announce.tell(changes, now=now)


def clean_ghosts(*, code: str, actor: Actor, why: str, now: datetime) -> int:
    """Let the broker forget what it keeps of a device's announcements; a bridge carries it out.

    Raises:
        living.UnknownDevice; StillServing; SharedAnnouncement: nothing will be forgotten.
    """
    with transaction.atomic():
        device = living.locked(code)
        gone = device.status in (DeviceStatus.RETIRED, DeviceStatus.QUARANTINE)
        if not gone and device.orphaned_at is None:
            raise StillServing(device.code)
        topics = list(documents(device).values_list("topic", flat=True))
        others = ForeignDocument.objects.filter(topic__in=topics).exclude(device=device)
        if shared := sorted(set(others.values_list("topic", flat=True))):
            raise SharedAnnouncement(shared[0], topics=shared[:20])
        count = documents(device).update(clean_at=now)
        audit.record(
            actor=actor,
            action="device.clean_ghosts",
            object_type="device",
            object_code=device.code,
            after={"topics": topics[:50], "why": why},
            now=now,
        )
    return count


def ghosts() -> list[tuple[int, str]]:
    """Documents that the broker is to forget: (id, topic)."""
    rows = ForeignDocument.objects.filter(clean_at__isnull=False).order_by("clean_at", "pk")
    return list(rows.values_list("pk", "topic")[:CLEANED_AT_ONCE])


def cleaned(ids: Sequence[int], now: datetime) -> None:
    """The broker has forgotten these; what they announced is withdrawn."""
    with transaction.atomic():
        rows = ForeignDocument.objects.filter(pk__in=ids)
        devices = set(rows.values_list("device_id", flat=True))
        rows.update(clean_at=None, gone_at=now)
        changes = announce.Changes()
        for device in Device.objects.select_for_update().filter(pk__in=devices).order_by("pk"):
            _settle(device, changes, now)
        announce.tell(changes, now=now)
