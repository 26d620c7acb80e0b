"""A batch of messages becomes shadows, telemetry, closed commands, alarms and live changes.

One transaction for the whole batch, set-based throughout: lock the shadows of the devices that
spoke, fold their messages in memory, write what changed. Bridges ask for batches of some hundred
messages; the cost of a batch grows far slower than its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from base_ops.core import db
from devices import directory
from devices.directory import Entry
from devices.domain import alarms
from devices.domain import shadow as shadows
from devices.domain.alarms import Code
from devices.domain.messages import Ack, Event, Incoming, Meta, State, Status, Tele
from devices.domain.shadow import Link
from devices.models.registry import DeviceStatus
from devices.services import (
    alarming,
    announce,
    measuring,
    outages,
    outbox,
    quarantine,
    rounds,
    streaming,
    watching,
)
from devices.services.shadowing import Row, load, pipelined, save


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch."""

    accepted: int
    unknown: int
    quarantined: int


@dataclass(slots=True)
class _Spoken:
    """The messages of one device in a batch, in order of arrival."""

    entry: Entry
    messages: list[Incoming] = field(default_factory=list)


def ingest(batch: Sequence[Incoming], now: datetime) -> Ingested:
    """Take in a batch, in order of arrival; safe to repeat as a whole.

    Messages of devices that nobody registered change nothing and are counted, but a $meta puts
    its sender into quarantine.
    """
    return db.in_transaction(lambda: _ingest(batch, now))


def _ingest(batch: Sequence[Incoming], now: datetime) -> Ingested:
    spoken, strangers = _by_device(batch, now)
    changes = announce.Changes()
    rows = _fold(spoken, now)
    closes = outbox.closes_of(_acks(spoken), _effects(spoken), now=now)
    outbox.close(closes, now=now, changes=changes)
    streaming.follow(rows, now=now, changes=changes)
    _watch(spoken, rows, now, changes)
    measured = _tele(spoken)
    watching.watch(measured, now=now, changes=changes)
    measuring.keep(measured, now=now)
    _note(rows, now, changes)
    _meta(spoken, now)
    metas = [m for m in strangers if isinstance(m, Meta)]
    quarantined = quarantine.admit(quarantine.strangers_of(metas), now=now, changes=changes)
    if changes.space_ids:
        save(rows)
        announce.tell(changes, now=now)
    else:
        with pipelined():
            save(rows)
            announce.tell(changes, now=now)
    known = sum(len(s.messages) for s in spoken.values())
    return Ingested(known, len(strangers) - quarantined, quarantined)


def _by_device(
    batch: Sequence[Incoming], now: datetime
) -> tuple[dict[int, _Spoken], list[Incoming]]:
    """Messages by device id; and those of strangers."""
    known = directory.by_code(now)
    if any(m.device not in known for m in batch):
        known = directory.after_miss(now)
    spoken: dict[int, _Spoken] = {}
    strangers: list[Incoming] = []
    for message in batch:
        entry = known.get(message.device)
        if entry is None:
            strangers.append(message)
            continue
        if not _is_heard(entry, message):
            continue
        found = spoken.get(entry.id)
        if found is None:
            found = spoken[entry.id] = _Spoken(entry)
        found.messages.append(message)
    return spoken, strangers


def _is_heard(entry: Entry, message: Incoming) -> bool:
    """A retired device is not listened to; a stranger only to learn what it is and how."""
    if entry.status == DeviceStatus.QUARANTINE:
        return isinstance(message, Meta | Status | State)
    return entry.status != DeviceStatus.RETIRED


def _fold(spoken: Mapping[int, _Spoken], now: datetime) -> dict[int, Row]:
    """Each device's shadow before and after its messages."""
    rows = load(sorted(spoken))
    for device_id, row in rows.items():
        heard = spoken[device_id]
        row.entry = heard.entry
        shadow = row.before
        for message in heard.messages:
            shadow = shadows.merge(shadow, message, now=now)
        row.after = shadow
    return rows


def _acks(spoken: Mapping[int, _Spoken]) -> list[Ack]:
    return [m for s in spoken.values() for m in s.messages if isinstance(m, Ack)]


def _effects(spoken: Mapping[int, _Spoken]) -> dict[str, str]:
    """Command id → device, for states that name their cause."""
    return {
        m.cause: m.device
        for s in spoken.values()
        for m in s.messages
        if isinstance(m, State) and m.cause is not None
    }


def _tele(spoken: Mapping[int, _Spoken]) -> list[tuple[Entry, Tele]]:
    return [(s.entry, m) for s in spoken.values() for m in s.messages if isinstance(m, Tele)]


def _watch(
    spoken: Mapping[int, _Spoken],
    rows: Mapping[int, Row],
    now: datetime,
    changes: announce.Changes,
) -> None:
    """Raise and clear alarms: links, uplinks, reported faults."""
    raised = [
        alarming.Raise(pk, Code.DEVICE_OFFLINE, {})
        for pk, row in rows.items()
        if row.relinked and row.after.link is Link.OFFLINE and not rounds.waits(row.entry, now)
    ]
    back = [pk for pk, row in rows.items() if row.relinked and row.after.link is Link.ONLINE]
    alarming.clear(back, [Code.DEVICE_OFFLINE], now=now, changes=changes)
    obeyed = [pk for pk, row in rows.items() if row.obeys_after_all]
    alarming.clear(obeyed, [Code.COMMAND_FAILED], now=now, changes=changes)
    good = []
    for pk, row in rows.items():
        if row.entry.kind == "encoder":
            verdict = _uplink(row, spoken[pk].messages)
            if verdict == alarms.BAD_SAMPLES:
                raised.append(alarming.Raise(pk, Code.UPLINK_BAD, row.worst))
            elif verdict == 0:
                good.append(pk)
    alarming.clear(good, [Code.UPLINK_BAD], now=now, changes=changes)
    outages.follow(rows, now=now)
    raised += _faults(spoken)
    alarming.raise_all(raised, now=now, changes=changes)


def _uplink(row: Row, heard: Sequence[Incoming]) -> int | None:
    """The score where it has just arrived at an end, else None; off air it is good."""
    before = row.uplink_score
    score = before
    if not row.after.is_live:
        score = 0
    else:
        for message in heard:
            if isinstance(message, Tele):
                bad = alarms.uplink_is_bad(message.metrics)
                score = alarms.step(score, bad)
                row.worst = dict(message.metrics) if bad else row.worst
    row.new_uplink_score = score
    return score if score != before and score in (0, alarms.BAD_SAMPLES) else None


def _faults(spoken: Mapping[int, _Spoken]) -> list[alarming.Raise]:
    return [
        alarming.Raise(pk, Code.FAULT, {"event": m.name, **m.data})
        for pk, s in spoken.items()
        for m in s.messages
        if isinstance(m, Event)
    ]


def _note(rows: Mapping[int, Row], now: datetime, changes: announce.Changes) -> None:
    """What dashboards must be told: a new state or link; ages go with the telemetry."""
    closing = frozenset(changes.device_ids)  # those whose commands ended just now
    for pk, row in rows.items():
        if row.retold or row.relinked:
            changes.device_ids.add(pk)
        if pk in changes.device_ids:
            changes.known[pk] = _known(row, closing=pk in closing)
        if row.relinked and row.entry.space_id is not None:
            changes.space_ids.add(row.entry.space_id)


def _known(row: Row, *, closing: bool) -> announce.Known:
    after = row.after
    return announce.Known(
        link=after.link,
        reported=after.reported or {},
        desired=row.desired,
        at=after.last_seen_at,
        version=after.version,
        pending=None if closing else row.busy,
    )


def _meta(spoken: Mapping[int, _Spoken], now: datetime) -> None:
    """Keep what known devices say they are, where it changed."""
    said = {pk: m for pk, s in spoken.items() for m in s.messages if isinstance(m, Meta)}
    if said:
        quarantine.keep_meta(said, now=now)
