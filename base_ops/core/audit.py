"""Who did something that matters is on record; a trigger keeps the record from being rewritten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from base_ops.core import logs, statements
from base_ops.core.actors import Actor

_INSERT = """
INSERT INTO core_auditentry
       (at, actor_kind, actor_id, actor_label, actor_role, action, object_type, object_code,
        before, after, request_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)
"""


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
    statements.ask(
        _INSERT,
        [
            now, actor.kind, actor.id, actor.label, actor.role, action, object_type, object_code,
            None if before is None else statements.packed(before),
            None if after is None else statements.packed(after),
            logs.request_id.get(),
        ],
    )  # fmt: skip
