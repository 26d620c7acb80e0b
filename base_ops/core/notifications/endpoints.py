"""Webhooks and robots: who may have which, their secrets, test messages, and sending again."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from base_ops.core import audit, errors
from base_ops.core.models import (
    Channel,
    Delivery,
    DeliveryStatus,
    Endpoint,
    Notice,
    Role,
    Tenant,
    User,
)
from base_ops.core.notifications import (
    addresses,
    audiences,
    packing,
    sealing,
    signatures,
    templates,
)

OVERLAP = timedelta(hours=24)
MOST_PER_OWNER = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ROBOT_HOSTS = {
    Channel.WECOM: {"qyapi.weixin.qq.com"},
    Channel.DINGTALK: {"oapi.dingtalk.com", "api.dingtalk.com"},
}
_ADDRESS_FAULTS = {
    "malformed": ("地址格式不正确", "not a usable address"),
    "not_https": ("必须使用 https", "must be https"),
    "port": ("不允许的端口", "this port is not allowed"),
    "not_public": ("必须是公网地址", "must be a public address"),
}
TEST = "notifications.test"


class BadEndpoint(errors.Invalid):
    """An endpoint that cannot work; names each field."""

    code, title_zh, title_en = "bad_endpoint", "通知端点有误", "This endpoint cannot work"


class TooManyEndpoints(errors.Conflict):
    """The tenant, or the base, has as many as allowed."""

    code, title_zh, title_en = "too_many_endpoints", "端点数量已达上限", "No more endpoints"


class NotDead(errors.Conflict):
    """Only what will never be tried again can be sent again."""

    code, title_zh, title_en = "not_dead", "该消息无需重发", "This message need not be sent again"


def visible(user: User) -> QuerySet[Endpoint]:
    """The endpoints that the user manages: of their tenant, or of the base.

    Raises:
        errors.Forbidden: neither a tenant's nor the base's manager.
    """
    if user.role not in {Role.TENANT_ADMIN, Role.MANAGER, Role.ADMIN}:
        raise errors.Forbidden(f"role {user.role} manages no endpoints")
    rows = Endpoint.objects.filter(removed_at__isnull=True).select_related("tenant")
    return rows.exclude(kind=Channel.EMAIL).filter(tenant=user.tenant)


def of_code(user: User, code: str) -> Endpoint:
    """One of the user's endpoints.

    Raises:
        errors.NotFound: none of this code, or not the user's.
    """
    row = visible(user).filter(code=code).first()
    if row is None:
        raise errors.NotFound(f"no endpoint {code}")
    return row


def create(*, user: User, wish: Mapping[str, Any], now: datetime) -> Endpoint:
    """Add an endpoint; a webhook's secret is shown by `renew_secret` only.

    Raises:
        BadEndpoint: names the fields.
        TooManyEndpoints: ten already.
    """
    with transaction.atomic():
        _lock_owner(user)
        if visible(user).count() >= MOST_PER_OWNER:
            raise TooManyEndpoints(limit=MOST_PER_OWNER)
        row = Endpoint(
            code="EP" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
            kind=wish["kind"],
            tenant=user.tenant,
            created_at=now,
        )
        _fill(row, wish)
        if row.kind == Channel.WEBHOOK:
            _seal(row, "secret_sealed", packing.SECRET, signatures.new_secret())
        row.save()
        _record(row, user, "create", now=now, after=_facts(row))
    return row


def _lock_owner(user: User) -> None:
    if user.tenant_id is not None:
        Tenant.objects.select_for_update(no_key=True).get(pk=user.tenant_id)


def change(
    *,
    user: User,
    code: str,
    changes: Mapping[str, Any],
    check: Callable[[int], None],
    now: datetime,
) -> Endpoint:
    """Change what is given; switching on again forgets earlier failures.

    `check` sees the version that is changed.

    Raises:
        errors.NotFound, BadEndpoint: as `of_code` and `create`.
    """
    with transaction.atomic():
        row = _locked(user, code)
        check(row.version)
        before = _facts(row)
        _fill(row, changes)
        if "active" in changes:
            row.active = changes["active"]
            row.inactive_reason = "" if row.active else "switched_off"
        if row.active:
            row.failures, row.open_until, row.last_error = 0, None, ""
        row.version += 1
        row.save()
        _record(row, user, "change", now=now, before=before, after=_facts(row))
    return row


def remove(*, user: User, code: str, now: datetime) -> None:
    """Send nothing there any more and forget address and secrets; its log stays."""
    with transaction.atomic():
        row = _locked(user, code)
        Delivery.objects.filter(endpoint=row, status=DeliveryStatus.WAITING).update(
            status=DeliveryStatus.DROPPED, ended_at=now, claimed_until=None, error="removed"
        )
        row.active, row.removed_at, row.inactive_reason = False, now, "removed"
        row.url_sealed = row.secret_sealed = row.old_secret_sealed = ""
        row.version += 1
        row.save()
        _record(row, user, "remove", now=now, before=_facts(row))


def renew_secret(*, user: User, code: str, now: datetime) -> tuple[str, datetime | None]:
    """A new secret, shown this once, and until when the one before is valid beside it.

    Asked again within these 24 hours, only the newest is replaced: the one that receivers surely
    know stays valid.

    Raises:
        errors.Conflict: a robot; its secret is made by its operator.
    """
    with transaction.atomic():
        row = _locked(user, code)
        if row.kind != Channel.WEBHOOK:
            raise errors.Conflict("a robot's secret comes from its operator")
        known = row.secret_shown_at is not None
        if known and (row.old_secret_until is None or row.old_secret_until <= now):
            old = sealing.opened(row.secret_sealed, place=packing.place(row, packing.SECRET))
            _seal(row, "old_secret_sealed", packing.OLD_SECRET, old)
            row.old_secret_until = now + OVERLAP
        secret = signatures.new_secret()
        _seal(row, "secret_sealed", packing.SECRET, secret)
        row.secret_shown_at = now
        row.version += 1
        row.save()
        _record(row, user, "renew_secret", now=now)
    return secret, row.old_secret_until


def send_test(*, user: User, code: str, now: datetime) -> Delivery:
    """Leave a test message for one endpoint; the log shows what became of it."""
    with transaction.atomic():
        row = _locked(user, code)
        template = templates.known()[TEST]
        notice = Notice.objects.create(
            kind=TEST,
            audience=audiences.write(audiences.OneEndpoint(row.pk)),
            dedup=secrets.token_hex(8),
            params=templates.packed(template, {"by": user.name}),
            created_at=now,
            fanned_at=now,
        )
        delivery = Delivery.objects.create(notice=notice, endpoint=row, created_at=now, due_at=now)
        _record(row, user, "test", now=now)
    return delivery


def deliveries(user: User) -> QuerySet[Delivery]:
    """The log that the user may see: of their tenant's endpoints; of the base's, and all mail.

    Administrators see what became of every message.
    """
    rows = Delivery.objects.select_related("notice", "endpoint", "user")
    if user.role == Role.ADMIN:
        return rows
    endpoints = visible(user).values("pk")
    if user.tenant_id is None:
        return rows.filter(endpoint__in=endpoints) | rows.filter(endpoint__kind=Channel.EMAIL)
    return rows.filter(endpoint__in=endpoints)


def delivery_of(user: User, delivery_id: int) -> Delivery:
    """One entry of the log.

    Raises:
        errors.NotFound: none, or not the user's to see.
    """
    row = deliveries(user).filter(pk=delivery_id).first() if delivery_id < 2**63 else None
    if row is None:
        raise errors.NotFound(f"no delivery {delivery_id}")
    return row


def send_again(*, user: User, delivery_id: int, now: datetime) -> Delivery:
    """Try a dead message anew.

    Raises:
        errors.NotFound: none, or not the user's to see.
        NotDead: it waits, has arrived, or its endpoint was removed.
    """
    with transaction.atomic():
        delivery_of(user, delivery_id)
        row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
        again = {DeliveryStatus.DEAD, DeliveryStatus.EXPIRED}
        if row.status not in again or row.endpoint.removed_at is not None:
            raise NotDead(f"the delivery is {row.status}")
        row.status, row.ended_at, row.error = DeliveryStatus.WAITING, None, ""
        row.attempts, row.claimed_until = 0, None
        row.created_at = row.due_at = now
        row.save()
        _record(row.endpoint, user, "send_again", now=now, after={"delivery": row.pk})
    return row


def _locked(user: User, code: str) -> Endpoint:
    row = visible(user).select_for_update(of=("self",), no_key=True).filter(code=code).first()
    if row is None:
        raise errors.NotFound(f"no endpoint {code}")
    return row


def _fill(row: Endpoint, wish: Mapping[str, Any]) -> None:
    """Take over what the wish gives, or refuse all of it."""
    faults = _faults(row, wish)
    for name in ("name", "language", "plain", "kinds"):
        if name in wish:
            setattr(row, name, wish[name])
    if "url" in wish and not faults:
        target = addresses.parse(wish["url"], private=settings.WEBHOOK_PRIVATE)
        row.host = target.netloc
        _seal(row, "url_sealed", packing.URL, wish["url"])
    if wish.get("secret"):
        _seal(row, "secret_sealed", packing.SECRET, wish["secret"])
    if faults:
        raise BadEndpoint(fields=faults)


def _faults(row: Endpoint, wish: Mapping[str, Any]) -> list[errors.FieldFault]:
    faults = []
    if "url" in wish and (fault := _address_fault(Channel(row.kind), wish["url"])):
        faults.append(errors.FieldFault("url", *fault))
    if wish.get("secret") and row.kind != Channel.DINGTALK:
        faults.append(
            errors.FieldFault("secret", "仅钉钉机器人可填写密钥", "only DingTalk robots take one")
        )
    unknown: Sequence[str] = sorted(set(wish.get("kinds", ())) - templates.known().keys())
    if unknown:
        faults.append(
            errors.FieldFault("kinds", f"没有这种通知:{unknown[0]}", f"no such kind: {unknown[0]}")
        )
    return faults


def _address_fault(kind: Channel, url: str) -> tuple[str, str] | None:
    """Why nothing can be sent to this address, in both languages."""
    try:
        target = addresses.parse(url, private=settings.WEBHOOK_PRIVATE)
    except addresses.BadAddress as exc:
        return _ADDRESS_FAULTS[exc.code]
    wanted = _ROBOT_HOSTS.get(kind)
    if wanted and not settings.WEBHOOK_PRIVATE and target.host not in wanted:
        host = max(wanted)
        return f"机器人地址须在 {host}", f"a robot's address is at {host}"
    return None


def _seal(row: Endpoint, field: str, what: str, text: str) -> None:
    setattr(row, field, sealing.seal(text, place=packing.place(row, what)))


def _facts(row: Endpoint) -> dict[str, Any]:
    """What the audit trail keeps: no address, no secret."""
    names = ("kind", "name", "host", "kinds", "language", "plain", "active")
    return {name: getattr(row, name) for name in names}


def _record(row: Endpoint, user: User, deed: str, *, now: datetime, **more: Any) -> None:
    audit.record(
        actor=user.actor,
        action=f"endpoint.{deed}",
        object_type="endpoint",
        object_code=row.code,
        now=now,
        **more,
    )
