"""Queued commands are claimed, sent, answered and closed.

A bridge claims: the row is leased for a few seconds. It publishes, and says so; or dies, and
another claims the row again. What the device does not answer is sent again while it is valid: it
answers `duplicate` to an id it has seen, so publishing twice is carried out once. A device has one
command on its way at a time, and none while it is away: they wait in the queue.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from base_ops.core.actors import Actor
from base_ops.core.errors import DomainError
from base_ops.core.models import User
from devices.domain import commands as life
from devices.domain.alarms import Code
from devices.domain.commands import ENDS, OPEN, PRESUMED, Status
from devices.domain.entitlement import NotEntitled
from devices.domain.messages import Ack
from devices.domain.shadow import Link, link_at
from devices.models import Command, Shadow
from devices.services import alarming, announce, guarding

COMMANDS_CHANNEL = "devices_commands"  # NOTIFY on commit: something was queued
LEASE = timedelta(seconds=5)
ANSWER_GRACE = timedelta(seconds=5)
RESEND = timedelta(seconds=5)
NO_ANSWER = "no_answer"  # our presumption, also of what was accepted and never heard of again

_CANDIDATES = """
SELECT c.id FROM devices_command c
JOIN devices_shadow s ON s.device_id = c.device_id
JOIN devices_device d ON d.id = c.device_id AND (d.convention <> 'wb1') = %(foreign)s
WHERE (c.status = 'queued' OR c.status = 'sent' AND c.sent_at <= %(unanswered)s
    AND c.expires_at > %(now)s)
  AND (c.not_before IS NULL OR c.not_before <= %(now)s)
  AND (c.claimed_at IS NULL OR c.claimed_at <= %(lease)s)
  AND (s.link IN ('online', 'stale') OR %(foreign)s AND s.link = 'unknown'
    OR c.status = 'queued' AND c.expires_at <= %(now)s)
  AND NOT EXISTS (
    SELECT 1 FROM devices_command o WHERE o.device_id = c.device_id AND o.id < c.id
      AND o.status IN ('queued', 'sent', 'accepted') AND o.expires_at > %(now)s)
ORDER BY c.id LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED
"""


def claim_commands(limit: int, now: datetime, *, foreign: bool = False) -> list[Command]:
    """The next commands to publish, each with device, model and space loaded; leased, in order.

    Askers, rights, the interlock and expiry are checked again here: what fails is closed and not
    returned.

    `foreign`: those for devices of foreign conventions, some of which never say that they are
    there.
    """
    with transaction.atomic():
        found = _candidates(limit, now, foreign)
        known = guarding.facts({c.device.space_id for c in found if c.device.space_id}, now=now)
        askers = _askers(found)
        passed, ends = [], []
        for command in found:
            end = _refusal(command, known, askers)
            if end is None:
                passed.append(command)
            else:
                ends.append(end)
        changes = announce.Changes()
        close(ends, now=now, changes=changes)
        Command.objects.filter(pk__in=[c.pk for c in passed]).update(claimed_at=now)
        announce.tell(changes, now=now)
    for command in passed:
        command.claimed_at = now
    return passed


def _candidates(limit: int, now: datetime, foreign: bool) -> list[Command]:
    with connection.cursor() as cursor:
        cursor.execute(
            _CANDIDATES,
            {
                "now": now,
                "lease": now - LEASE,
                "unanswered": now - RESEND,
                "limit": limit,
                "foreign": foreign,
            },
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    if not ids:
        return []
    rows = Command.objects.filter(pk__in=ids).order_by("pk")
    return list(rows.select_related("device__shadow", "device__model", "device__space", "grant"))


def _askers(commands: Sequence[Command]) -> dict[str, Actor]:
    """The people who asked, by id, as they are now; without those who may not sign in."""
    ids = {int(c.actor_id) for c in commands if c.actor_kind == "user"}
    if not ids:
        return {}
    return {str(u.pk): u.actor for u in User.objects.filter(pk__in=ids, is_active=True)}


@dataclass(frozen=True, slots=True)
class Close:
    """How a command ends, or moves on while it is open; `code` says why."""

    command_id: str
    device_id: int
    status: Status
    code: str = ""
    answered: bool = False


def _refusal(command: Command, known: guarding.Facts, askers: Mapping[str, Actor]) -> Close | None:
    """Why a queued command must not be sent now, or None."""
    if command.expires_at <= known.now:
        return Close(command.pk, command.device_id, Status.EXPIRED, "expired")
    try:
        _check_asker(command.actor, askers)
        _check_again(command, known)
    except DomainError as exc:
        return Close(command.pk, command.device_id, Status.REJECTED, exc.code)
    return None


def _check_asker(actor: Actor, askers: Mapping[str, Actor]) -> None:
    if actor.kind != "user":
        return
    today = askers.get(actor.id)
    if today is None or (today.role, today.tenant_id) != (actor.role, actor.tenant_id):
        raise NotEntitled("who asked has left, or has another role or tenant now")


def _check_again(command: Command, known: guarding.Facts) -> None:
    device = command.device
    if not guarding.may_obey(device, test=command.test) or device.space_id is None:
        raise NotEntitled("the device left service")
    shadow = getattr(device, "shadow", None)
    right = guarding.check(
        guarding.Request(
            device.space_id,
            device.kind,
            command.op,
            command.state,
            shadow.reported if shadow else {},
            command.actor,
            command.override,
            device.pk,
        ),
        known,
    )
    if command.grant_id is not None and (
        right is None or (right.id, right.epoch) != (command.grant_id, command.grant_epoch)
    ):
        raise NotEntitled("the right it was queued under has ended")


def commands_published(ids: Sequence[str], now: datetime) -> None:
    """Note that the broker took these commands; answers that were faster stay."""
    Command.objects.filter(pk__in=ids, status__in=(Status.QUEUED, Status.SENT)).update(
        status=Status.SENT, sent_at=now
    )


def command_acked(acks: Iterable[Ack], *, now: datetime) -> int:
    """Close or move the commands that devices answered; returns how many changed.

    An answer counts only from the device that was asked, and only while the command is open or its
    end was merely presumed; so answers that arrive twice change nothing.
    """
    with transaction.atomic():
        changes = announce.Changes()
        count = close(closes_of(list(acks), {}, now=now), now=now, changes=changes)
        announce.tell(changes, now=now)
    return count


def closes_of(acks: Sequence[Ack], effects: Mapping[str, str], *, now: datetime) -> list[Close]:
    """What answers and effects make of the commands they name; those are locked.

    That one copy came too late says nothing while the command is valid: it is sent again.

    Args:
        acks: in the order they arrived.
        effects: command id → code of the device that reported a state caused by it.
    """
    ids = {a.command_id for a in acks} | effects.keys()
    if not ids:
        return []
    rows = Command.objects.select_for_update(of=("self",)).select_related("device")
    unanswered = Q(status__in=PRESUMED) & (Q(acked_at=None) | Q(code=NO_ANSWER))
    movable = rows.filter(Q(status__in=OPEN) | unanswered, pk__in=ids)
    open_now = {c.pk: c for c in movable.order_by("pk")}
    ends: dict[str, Close] = {}
    for ack in acks:
        command = open_now.get(ack.command_id)
        if command is None or command.device.code != ack.device or _is_late(ack, command, now):
            continue
        before = ends[command.pk].status if command.pk in ends else Status(command.status)
        after = life.after_ack(before, ack.st, answered=command.pk in ends)
        if after is not before:
            ends[command.pk] = Close(
                command.pk, command.device_id, after, ack.code[:64], answered=True
            )
    _by_effect(ends, open_now, effects)
    return list(ends.values())


def _is_late(ack: Ack, command: Command, now: datetime) -> bool:
    return life.is_late_copy(ack.st, ack.code) and now < command.expires_at


def _by_effect(
    ends: dict[str, Close], open_now: Mapping[str, Command], effects: Mapping[str, str]
) -> None:
    """A state that names its command proves that it was carried out."""
    for pk, device in effects.items():
        command = open_now.get(pk)
        if command is None or command.device.code != device:
            continue
        before = ends[pk].status if pk in ends else Status(command.status)
        if before in OPEN or life.is_presumed(before, answered=pk in ends):
            ends[pk] = Close(pk, command.device_id, Status.DONE, answered=True)


_CLOSE = """
UPDATE devices_command c SET status = e.status, code = e.code,
  sent_at = coalesce(c.sent_at, CASE WHEN e.status = 'accepted' THEN %(now)s::timestamptz END),
  acked_at = CASE WHEN e.answered THEN %(now)s::timestamptz ELSE c.acked_at END,
  ended_at = CASE WHEN e.status = 'accepted' THEN NULL ELSE %(now)s::timestamptz END
FROM unnest(%(ids)s::text[], %(statuses)s::text[], %(codes)s::text[], %(answered)s::bool[])
  AS e(id, status, code, answered)
WHERE c.id = e.id AND (c.status IN ('queued', 'sent', 'accepted')
  OR (e.status = 'done' AND c.status IN ('expired', 'failed')
    AND (c.acked_at IS NULL OR c.code = 'no_answer')))
RETURNING c.device_id, c.state::text, c.status, c.id, c.code
"""


def close(ends: Sequence[Close], *, now: datetime, changes: announce.Changes) -> int:
    """Write how commands end, raise or clear their alarms, note what to tell."""
    if not ends:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE,
            {
                "now": now,
                "ids": [e.command_id for e in ends],
                "statuses": [str(e.status) for e in ends],
                "codes": [e.code for e in ends],
                "answered": [e.answered for e in ends],
            },
        )
        closed = [_Closed(*row) for row in cursor.fetchall()]
    changes.device_ids.update(e.device_id for e in ends if e.status in ENDS)
    _alarm(closed, now=now, changes=changes)
    return len(closed)


@dataclass(frozen=True, slots=True)
class _Closed:
    """A command as it stands now; `state` is JSON."""

    device_id: int
    state: str
    status: str
    command_id: str
    why: str


_ALARMING = frozenset({Status.EXPIRED, Status.FAILED})


def _alarm(closed: Sequence[_Closed], *, now: datetime, changes: announce.Changes) -> None:
    """A command that failed or ran out raises; one that is done clears. Refusals do neither.

    A device that is known to be away raises nothing more: that it does not obey says nothing new.
    """
    done = {c.device_id for c in closed if c.status == Status.DONE}
    alarming.clear(done, [Code.COMMAND_FAILED], now=now, changes=changes)
    bad = [c for c in closed if c.status in _ALARMING]
    if not bad:
        return
    links = _links({c.device_id for c in bad}, now)
    raised = [
        alarming.Raise(
            c.device_id,
            Code.COMMAND_FAILED,
            {"command": c.command_id, "why": c.why, "wanted": json.loads(c.state), "count": 1},
        )
        for c in bad
        if life.is_news(Status(c.status), links.get(c.device_id, Link.UNKNOWN))
    ]
    alarming.raise_all(raised, now=now, changes=changes)


def _links(device_ids: Iterable[int], now: datetime) -> dict[int, Link]:
    rows = Shadow.objects.filter(device_id__in=list(device_ids))
    return {
        pk: link_at(Link(link), seen_at, now)
        for pk, link, seen_at in rows.values_list("device_id", "link", "last_seen_at")
    }


def expire_due(now: datetime) -> int:
    """Close queued commands that ran out, and sent ones that nobody answered."""
    with transaction.atomic():
        due = Command.objects.select_for_update(skip_locked=True).filter(
            status__in=OPEN, expires_at__lte=now
        )
        ends = [
            Close(c.pk, c.device_id, Status.EXPIRED, "expired")
            if c.status == Status.QUEUED
            else Close(c.pk, c.device_id, Status.FAILED, NO_ANSWER)
            for c in due.order_by("pk")
            if c.status == Status.QUEUED or c.expires_at + ANSWER_GRACE <= now
        ]
        changes = announce.Changes()
        count = close(ends, now=now, changes=changes)
        announce.tell(changes, now=now)
    return count
