"""Encoders that start, stop or get lost open, close or pause stream sessions: who is on air."""

from collections.abc import Mapping
from datetime import UTC, datetime

from devices.domain.shadow import Link, Shadow
from devices.models import Command, StreamSession
from devices.services import announce
from devices.services.shadowing import Row


def follow(rows: Mapping[int, Row], *, now: datetime, changes: announce.Changes) -> None:
    """Bring the sessions in line with what encoders report now; note rooms that changed."""
    moved = {
        pk: row
        for pk, row in rows.items()
        if row.entry.kind == "encoder"
        and row.entry.space_id is not None
        and _phase(row.before) != _phase(row.after)
    }
    if not moved:
        return
    sessions = {
        s.device_id: s
        for s in StreamSession.objects.select_for_update()
        .filter(device_id__in=moved, ended_at=None)
        .order_by("pk")
    }
    for pk, row in moved.items():
        _move(sessions.get(pk), pk, row, now)
        assert row.entry.space_id is not None
        changes.space_ids.add(row.entry.space_id)


def _phase(shadow: Shadow) -> tuple[bool, bool, object]:
    """What sessions depend on: streaming, gone, and the encoder's own end."""
    reported = shadow.reported or {}
    return shadow.is_live, shadow.link is Link.OFFLINE, reported.get("until")


def _move(session: StreamSession | None, device_id: int, row: Row, now: datetime) -> None:
    if row.after.is_live:
        _on(session, device_id, row, now)
    elif session is not None and row.after.link is Link.OFFLINE:
        session.lost_at = session.lost_at or now
        session.save(update_fields=["lost_at"])
    elif session is not None:
        session.ended_at = max(session.lost_at or now, session.started_at)
        session.save(update_fields=["ended_at"])


def _on(session: StreamSession | None, device_id: int, row: Row, now: datetime) -> None:
    until = _until(row)
    if session is not None:
        session.until, session.lost_at = until, None
        session.save(update_fields=["until", "lost_at"])
        return
    assert row.entry.space_id is not None
    StreamSession.objects.create(
        device_id=device_id,
        space_id=row.entry.space_id,
        booking_code=_booking(device_id),
        started_at=now,
        until=until,
    )


def _until(row: Row) -> datetime | None:
    """The encoder's own end: as it reports, or else as it was told."""
    until = (row.after.reported or {}).get("until") or (row.desired or {}).get("until")
    if isinstance(until, bool) or not isinstance(until, int | float):
        return None
    return datetime.fromtimestamp(until / 1000, UTC)


def _booking(device_id: int) -> str:
    """The booking of the last command that started this encoder."""
    last = (
        Command.objects.filter(device_id=device_id, state__run="live")
        .order_by("-created_at")
        .values_list("booking_code", flat=True)
        .first()
    )
    return last or ""
