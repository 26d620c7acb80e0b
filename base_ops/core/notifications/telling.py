"""Tells something: one row in the transaction of the deed, whatever becomes of it later."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from base_ops.core import statements
from base_ops.core.notifications import audiences, templates

_INSERT = """
INSERT INTO core_notice (kind, audience, dedup, params, urgent, created_at, problem)
VALUES (%s, %s, %s, %s::jsonb, %s, %s, '')
ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
"""


def tell(
    *,
    kind: str,
    audience: audiences.Audience,
    params: Mapping[str, Any],
    dedup: str,
    urgent: bool | None = None,
    now: datetime,
) -> None:
    """Leave a notice for an audience; one INSERT in the caller's transaction.

    Who belongs to the audience is looked up when it is delivered, moments later.

    Args:
        kind: a registered template.
        audience: to whom.
        params: exactly what the template names; free text need not be cleaned.
        dedup: the fact; the same fact is told once to an audience.
        urgent: breaks through quiet hours; None: as the template says.
        now: when.

    Raises:
        KeyError: no such template.
        templates.BadParams: other parameters than the template's.
    """
    template = templates.known()[kind]
    row: list[str | bool | datetime] = [
        kind,
        audiences.write(audience),
        dedup,
        json.dumps(templates.packed(template, params), ensure_ascii=False),
        template.urgent if urgent is None else urgent,
        now,
    ]
    statements.ask(_INSERT, row)
