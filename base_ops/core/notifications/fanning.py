"""From notices to inboxes and deliveries: who belongs to the audience now, and what they want."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from base_ops.core.models import (
    Channel,
    Delivery,
    Endpoint,
    InboxItem,
    Notice,
    NoticePreferences,
    User,
)
from base_ops.core.notifications import audiences, inbox, templates
from base_ops.core.notifications.templates import Template
from base_ops.core.notifications.wishes import EMAIL, IN_APP, Choices, subscribed, wants

logger = logging.getLogger(__name__)
BATCH = 50


def fan_out(now: datetime) -> int:
    """Work off all notices that wait; returns how many."""
    done = 0
    while batch := _fan_batch(now):
        done += batch
    return done


def _fan_batch(now: datetime) -> int:
    with transaction.atomic():
        notices = list(
            Notice.objects.select_for_update(skip_locked=True)
            .filter(fanned_at__isnull=True)
            .order_by("pk")[:BATCH]
        )
        _spread([f for n in notices if (f := _facts(n, now=now))], now=now)
    return len(notices)


@dataclass(frozen=True, slots=True)
class _Facts:
    """One notice with its template, and everybody and everything behind its audience."""

    notice: Notice
    template: Template
    users: Sequence[User]
    endpoints: Sequence[Endpoint]


def _facts(notice: Notice, *, now: datetime) -> _Facts | None:
    """Close the notice; None and a note on it when no template of this version knows it."""
    template = templates.known().get(notice.kind)
    notice.fanned_at = now
    notice.problem = "" if template else "unknown_kind"
    notice.save(update_fields=["fanned_at", "problem"])
    if template is None:
        logger.warning("notifications.unknown_kind", extra={"notice": notice.pk})
        return None
    users, endpoints = _behind(audiences.read(notice.audience))
    return _Facts(
        notice, template, users, [e for e in endpoints if subscribed(e.kinds, notice.kind)]
    )


def _behind(audience: audiences.Audience) -> tuple[list[User], list[Endpoint]]:
    people = User.objects.filter(is_active=True)
    places = Endpoint.objects.filter(removed_at__isnull=True).exclude(kind=Channel.EMAIL)
    match audience:
        case audiences.Roles(names):
            return list(people.filter(role__in=names, tenant=None)), list(
                places.filter(tenant=None)
            )
        case audiences.TenantPeople(pk):
            return list(people.filter(tenant_id=pk)), list(places.filter(tenant_id=pk))
        case audiences.OneUser(pk):
            return list(people.filter(pk=pk)), []
        case audiences.OneEndpoint(pk):
            return [], list(places.filter(pk=pk))


def _spread(found: Sequence[_Facts], *, now: datetime) -> None:
    """Write inboxes and deliveries, then ring the bells."""
    ids = {u.pk for f in found for u in f.users}
    choices = _choices(ids)
    seen = [
        InboxItem(notice=f.notice, user=u, created_at=now)
        for f in found
        for u in f.users
        if wants(choices[u.pk], f.template, IN_APP)
    ]
    relay = mail_relay(now=now) if settings.SMTP_URL else None
    sent = [d for f in found for d in _deliveries(f, choices, relay, now=now)]
    Delivery.objects.bulk_create(sent)
    if seen:
        inbox.lock({i.user_id for i in seen})
        InboxItem.objects.bulk_create(seen)
        inbox.show({i.user_id: _shown(i) for i in seen}, now=now)


def _choices(user_ids: set[int]) -> dict[int, Choices]:
    rows = NoticePreferences.objects.filter(user_id__in=user_ids)
    given: dict[int, Choices] = dict(rows.values_list("user_id", "choices"))
    return {pk: given.get(pk, {}) for pk in user_ids}


def _deliveries(
    found: _Facts, choices: dict[int, Choices], relay: Endpoint | None, *, now: datetime
) -> list[Delivery]:
    """Wanted since the notice was written, however late it is fanned out."""
    wanted: list[tuple[Endpoint, User | None]] = [(e, None) for e in found.endpoints if e.active]
    if relay is not None:
        wanted += [(relay, u) for u in found.users if wants(choices[u.pk], found.template, EMAIL)]
    return [
        Delivery(
            notice=found.notice, endpoint=e, user=u, created_at=found.notice.created_at, due_at=now
        )
        for e, u in wanted
    ]


def mail_relay(*, now: datetime) -> Endpoint:
    """The endpoint that stands for the mail server of the settings; made when first needed."""
    row = Endpoint.objects.filter(kind=Channel.EMAIL).first()
    if row is None:
        Endpoint.objects.bulk_create(
            [Endpoint(code="EP-MAIL", kind=Channel.EMAIL, name="SMTP", language="zh",
                      created_at=now)],
            ignore_conflicts=True,
        )  # fmt: skip
        row = Endpoint.objects.get(kind=Channel.EMAIL)
    return row


def _shown(item: InboxItem) -> dict[str, object]:
    """What the bell says of the newest: both titles; the rest is read from the inbox."""
    notice = item.notice
    template = templates.known()[notice.kind]
    return {
        "id": item.pk,
        "kind": notice.kind,
        "urgent": notice.urgent,
        "title_zh": templates.rendered(template, notice.params, "zh").title,
        "title_en": templates.rendered(template, notice.params, "en").title,
        "at": item.created_at.isoformat(),
    }
