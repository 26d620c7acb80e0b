"""From a claimed delivery to what a thread can send without asking the database."""

import functools
import hashlib
import ssl
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings

from base_ops.core.models import Channel, Delivery, Endpoint, User
from base_ops.core.notifications import (
    addresses,
    mail,
    outcomes,
    payloads,
    sealing,
    signatures,
    templates,
    web,
)
from base_ops.core.notifications.outcomes import Outcome
from base_ops.core.notifications.payloads import Message

Send = Callable[[], Outcome]
URL, SECRET, OLD_SECRET = "url", "secret", "old_secret"


def place(endpoint: Endpoint, what: str) -> str:
    """What a sealed value of an endpoint is bound to."""
    return f"endpoint:{endpoint.code}:{what}"


def packed(delivery: Delivery, *, now: datetime) -> Send:
    """What sends this delivery once; whatever cannot be sent is refused by it.

    The delivery comes with its notice, endpoint and user.
    """
    template = templates.known().get(delivery.notice.kind)
    if template is None:
        return partial(outcomes.refused, "unknown_kind")
    message = _message(delivery, template)
    try:
        return _PACKERS[Channel(delivery.endpoint.kind)](delivery, message, now)
    except sealing.Unreadable:
        return partial(outcomes.refused, "unreadable_secret", at_fault=True)
    except addresses.BadAddress as exc:
        return partial(outcomes.refused, f"address_{exc.code}", at_fault=True)


def _message(delivery: Delivery, template: templates.Template) -> Message:
    notice = delivery.notice
    link = templates.link_of(template, notice.params)
    return Message(
        kind=notice.kind,
        told_at=notice.created_at,
        urgent=notice.urgent,
        params=notice.params,
        zh=templates.rendered(template, notice.params, "zh"),
        en=templates.rendered(template, notice.params, "en"),
        url=settings.PUBLIC_URL + link if settings.PUBLIC_URL and link else "",
    )


def message_id(delivery: Delivery) -> str:
    """The same for each attempt, and different wherever another SECRET_KEY is used."""
    salted = f"{settings.SECRET_KEY}:delivery:{delivery.pk}".encode()
    return f"msg_{delivery.pk}_{hashlib.sha256(salted).hexdigest()[:16]}"


def _mail(delivery: Delivery, message: Message, now: datetime) -> Send:
    user = delivery.user
    if not isinstance(user, User) or not user.is_active:
        return partial(outcomes.refused, "no_recipient")
    if not settings.SMTP_URL:
        return partial(outcomes.failed, "no_mail_server")
    try:
        composed = mail.compose(
            message,
            mail.Recipient(user.email, user.name, user.language),
            sender=settings.MAIL_FROM,
            message_id=message_id(delivery),
            sent_at=now,
        )
    except ValueError:
        return partial(outcomes.refused, "bad_recipient")
    return partial(mail.send, mail.Relay.of(settings.SMTP_URL), composed, tls=_tls())


def _webhook(delivery: Delivery, message: Message, now: datetime) -> Send:
    endpoint = delivery.endpoint
    target = _target(endpoint)
    body = payloads.webhook_body(message)
    headers = signatures.webhook_headers(
        message_id=message_id(delivery),
        timestamp=int(now.timestamp()),
        body=body,
        secrets_valid=_secrets(endpoint, now=now),
    )
    return partial(
        _posted, target, body, headers, robot=False, private=settings.WEBHOOK_PRIVATE, now=now
    )


def _secrets(endpoint: Endpoint, *, now: datetime) -> list[str]:
    """The secrets that are valid now, the newest first."""
    valid = [sealing.opened(endpoint.secret_sealed, place=place(endpoint, SECRET))]
    until = endpoint.old_secret_until
    if endpoint.old_secret_sealed and until is not None and now < until:
        valid.append(sealing.opened(endpoint.old_secret_sealed, place=place(endpoint, OLD_SECRET)))
    return valid


def _wecom(delivery: Delivery, message: Message, now: datetime) -> Send:
    endpoint = delivery.endpoint
    body = payloads.wecom_body(message, language=endpoint.language, plain=endpoint.plain)
    return partial(
        _posted, _target(endpoint), body, {}, robot=True, private=settings.WEBHOOK_PRIVATE, now=now
    )


def _dingtalk(delivery: Delivery, message: Message, now: datetime) -> Send:
    endpoint = delivery.endpoint
    query = {}
    if endpoint.secret_sealed:
        secret = sealing.opened(endpoint.secret_sealed, place=place(endpoint, SECRET))
        query = signatures.dingtalk_query(secret, timestamp_ms=round(now.timestamp() * 1000))
    body = payloads.dingtalk_body(message, language=endpoint.language, plain=endpoint.plain)
    return partial(
        _posted,
        _target(endpoint, query),
        body,
        {},
        robot=True,
        private=settings.WEBHOOK_PRIVATE,
        now=now,
    )


def _target(endpoint: Endpoint, query: dict[str, str] | None = None) -> addresses.Target:
    url = sealing.opened(endpoint.url_sealed, place=place(endpoint, URL))
    return addresses.parse(
        addresses.with_query(url, query or {}), private=settings.WEBHOOK_PRIVATE
    )


def _posted(
    target: addresses.Target,
    body: bytes,
    headers: dict[str, str],
    *,
    robot: bool,
    private: bool,
    now: datetime,
) -> Outcome:
    try:
        answer = web.post(target, body=body, headers=headers, private=private, tls=_tls())
    except addresses.BadAddress as exc:
        return outcomes.failed(f"address_{exc.code}")
    except web.NoAnswer as exc:
        return outcomes.failed(exc.code)
    if robot:
        return payloads.read_robot(answer.status, answer.retry_after, answer.body, now=now)
    return payloads.read_status(answer.status, answer.retry_after, now=now)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked always; SSL_CERT_FILE names other authorities than the system's."""
    return ssl.create_default_context()


_PACKERS: dict[Channel, Callable[[Delivery, Message, datetime], Send]] = {
    Channel.EMAIL: _mail,
    Channel.WEBHOOK: _webhook,
    Channel.WECOM: _wecom,
    Channel.DINGTALK: _dingtalk,
}
