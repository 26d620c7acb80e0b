"""Accounts of the broker: given, renewed, taken back. The secret is told once and never kept.

A change is announced by NOTIFY on commit; `manage.py broker_config watch` writes the broker's
files anew and has it read them, which ends the connections of whoever may no longer be there.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from base_ops.core import audit, errors
from base_ops.core.actors import SYSTEM, Actor
from devices.domain import accounts
from devices.domain.accounts import Entry, Kind
from devices.models import BrokerAccount, Device
from devices.models.registry import DeviceStatus

CHANNEL = "broker_accounts"
_SECRET_BYTES = 24


class NoAccount(errors.NotFound):
    """Nobody of that name may connect."""

    code, title_zh, title_en = "no_broker_account", "没有此接入账号", "No such broker account"


class NoAccountForRetired(errors.Conflict):
    """A retired device gets no password."""

    code = "device_retired"
    title_zh, title_en = "设备已退役", "The device is retired"


class NameTaken(errors.Conflict):
    """The name is that of a device, or of an account of another kind."""

    code, title_zh, title_en = "account_name_taken", "名称已被占用", "The name is taken"


def issue_for_device(*, device: Device, actor: Actor, now: datetime) -> str:
    """A new password for a device, which may connect from now on; the old one ends.

    Raises:
        NoAccountForRetired: it is retired.
    """
    with transaction.atomic():
        held = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
        if held.status == DeviceStatus.RETIRED:
            raise NoAccountForRetired(held.code)
        return _issue(Entry(held.code, Kind.DEVICE, ""), device=held, actor=actor, now=now)


def issue_for_program(
    *,
    name: str,
    kind: Kind,
    writes: Sequence[str] = (),
    reads: Sequence[str] = (),
    password: str = "",
    actor: Actor,
    now: datetime,
) -> str:
    """A new password for a program: ours (everything), or a bridge of other gear (its topics).

    With `password` that one is set, and nothing is changed where it is set already.

    Raises:
        errors.Invalid: no name; BadTopics: filters that cannot be given.
        NameTaken: a device has that name.
    """
    if not accounts.NAME.fullmatch(name):
        fault = errors.FieldFault(
            "name", "须为 1–64 个字母、数字、- 或 _", "must be 1-64 letters, digits, - or _"
        )
        raise errors.Invalid(name[:64], fields=[fault])
    entry = Entry(
        name,
        kind,
        "",
        accounts.check_topics("writes", writes),
        accounts.check_topics("reads", reads),
    )
    with transaction.atomic():
        if Device.objects.filter(code=name).exists():
            raise NameTaken(name)
        return _issue(entry, device=None, actor=actor, now=now, password=password)


def issue_for_fleet(*, password: str, now: datetime) -> int:
    """One password for all active devices that have no account yet: a simulated fleet's.

    Returns:
        How many accounts were made.
    """
    with transaction.atomic():
        lacking = Device.objects.filter(
            status=DeviceStatus.ACTIVE, convention="wb1", broker_account=None
        )
        rows = [
            BrokerAccount(
                name=device.code,
                kind=Kind.DEVICE,
                device=device,
                password_hash=accounts.hashed(password, secrets.token_bytes(accounts.SALT_BYTES)),
                changed_at=now,
            )
            for device in lacking
        ]
        made = BrokerAccount.objects.bulk_create(rows, ignore_conflicts=True)
        if made:
            _told("broker_account.issue", "fleet", actor=SYSTEM, now=now)
    return len(made)


def _issue(
    entry: Entry, *, device: Device | None, actor: Actor, now: datetime, password: str = ""
) -> str:
    row = BrokerAccount.objects.select_for_update().filter(name=entry.name).first()
    if row is not None and row.kind != entry.kind:
        raise NameTaken(entry.name)
    secret = password or secrets.token_urlsafe(_SECRET_BYTES)
    if password and row is not None and _is_set(row, entry, password):
        return password
    BrokerAccount.objects.update_or_create(
        name=entry.name,
        defaults={
            "kind": entry.kind,
            "device": device,
            "password_hash": accounts.hashed(secret, secrets.token_bytes(accounts.SALT_BYTES)),
            "writes": list(entry.writes),
            "reads": list(entry.reads),
            "changed_at": now,
            "revoked_at": None,
        },
    )
    deed = "broker_account.issue" if row is None else "broker_account.renew"
    _told(deed, entry.name, actor=actor, now=now)
    return secret


def _is_set(row: BrokerAccount, entry: Entry, password: str) -> bool:
    same = row.writes == list(entry.writes) and row.reads == list(entry.reads)
    return same and row.revoked_at is None and accounts.matches(password, row.password_hash)


def revoke(*, name: str, actor: Actor, now: datetime) -> None:
    """Nobody connects under this name any more; again is harmless.

    Raises:
        NoAccount: there never was one.
    """
    with transaction.atomic():
        row = BrokerAccount.objects.select_for_update().filter(name=name).first()
        if row is None:
            raise NoAccount(name[:64])
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            _told("broker_account.revoke", name, actor=actor, now=now)


def _told(deed: str, name: str, *, actor: Actor, now: datetime) -> None:
    audit.record(actor=actor, action=deed, object_type="broker_account", object_code=name, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def entries() -> list[Entry]:
    """Everybody who may connect now: not revoked, and no retired device."""
    rows = BrokerAccount.objects.filter(revoked_at=None).exclude(
        device__status=DeviceStatus.RETIRED
    )
    return [
        Entry(row.name, Kind(row.kind), row.password_hash, row.writes, row.reads) for row in rows
    ]
