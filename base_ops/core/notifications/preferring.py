"""What a user wants to be told, and when not."""

from collections.abc import Callable, Mapping
from datetime import time

from django.db import transaction

from base_ops.core import errors
from base_ops.core.models import NoticePreferences, User
from base_ops.core.notifications import templates
from base_ops.core.notifications.wishes import EMAIL, IN_APP, wants


class BadPreferences(errors.Invalid):
    """Wishes that cannot be kept; names each field."""

    code, title_zh, title_en = "bad_preferences", "通知设置有误", "These preferences do not work"


def of(user: User) -> NoticePreferences:
    """The user's wishes; version 0 before the first choice."""
    row = NoticePreferences.objects.filter(user=user).first()
    return row or NoticePreferences(user=user, version=0)


def shown(row: NoticePreferences) -> dict[str, object]:
    """The wishes with every kind of notice and what applies to it."""
    kinds = [
        {
            "kind": t.key,
            "title_zh": t.words["zh"].title,
            "title_en": t.words["en"].title,
            "urgent": t.urgent,
            IN_APP: wants(row.choices, t, IN_APP),
            EMAIL: wants(row.choices, t, EMAIL),
        }
        for _, t in sorted(templates.known().items())
    ]
    return {
        "quiet_from": row.quiet_from,
        "quiet_to": row.quiet_to,
        "kinds": kinds,
        "version": row.version,
    }


def change(
    *,
    user: User,
    choices: Mapping[str, Mapping[str, bool]],
    quiet_from: time | None,
    quiet_to: time | None,
    check: Callable[[int], None],
) -> NoticePreferences:
    """Replace the user's wishes; `check` sees the version that is replaced.

    Raises:
        BadPreferences: an unknown kind, an urgent one not wanted in the app, half of quiet hours.
    """
    if faults := _faults(choices, quiet_from, quiet_to):
        raise BadPreferences(fields=faults)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        row = of(user)
        check(row.version)
        row.choices = {kind: dict(wanted) for kind, wanted in choices.items() if wanted}
        row.quiet_from, row.quiet_to = quiet_from, quiet_to
        row.version += 1
        row.save()
    return row


def _faults(
    choices: Mapping[str, Mapping[str, bool]], quiet_from: time | None, quiet_to: time | None
) -> list[errors.FieldFault]:
    faults = []
    for kind, wanted in choices.items():
        template = templates.known().get(kind)
        name = f"choices.{kind}"[:80]
        if template is None:
            faults.append(errors.FieldFault(name, "没有这种通知", "no such kind of notice"))
        elif template.urgent and wanted.get(IN_APP) is False:
            faults.append(
                errors.FieldFault(
                    f"{name}.{IN_APP}", "紧急通知不能关闭", "urgent notices cannot be turned off"
                )
            )
    if (quiet_from is None) != (quiet_to is None):
        name = "quiet_to" if quiet_to is None else "quiet_from"
        faults.append(errors.FieldFault(name, "免打扰时段需有起止", "give both or neither"))
    for name, at in (("quiet_from", quiet_from), ("quiet_to", quiet_to)):
        if at is not None and at.tzinfo is not None:
            faults.append(errors.FieldFault(name, "不带时区", "without a time zone"))
    return faults
