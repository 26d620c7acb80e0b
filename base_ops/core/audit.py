"""Who did something that matters is on record; a trigger keeps the record from being rewritten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from base_ops.core import logs, statements
from base_ops.core.actors import Actor
from base_ops.core.models.records import AuditEntry


def record(
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_code: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write one audit row in the caller's transaction.

    Args:
        actor: who.
        action: dotted verb, e.g. "booking.confirm".
        object_type: e.g. "booking".
        object_code: the code people know it by.
        before: the fields that changed, as JSON values, or None.
        after: what they became, or None.
        now: when.
    """
    statements.add(
        AuditEntry(
            at=now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            actor_role=actor.role,
            action=action,
            object_type=object_type,
            object_code=object_code,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
            request_id=logs.request_id.get(),
        )
    )
