"""What was done to a booking: read from the audit trail, which nobody can rewrite."""

from collections.abc import Iterator
from typing import Any

from base_ops.core.models import TENANT_ROLES, AuditEntry
from booking.models import Booking

_MONEY = frozenset({"price_fen", "fee_fen", "quoted_fen"})
_KNOWN = frozenset({"status", "why"})


def history(booking: Booking, *, named: bool, priced: bool) -> Iterator[dict[str, Any]]:
    """Every deed on the booking, the oldest first.

    Args:
        booking: whose.
        named: say who it was; else people of the base are only "the base".
        priced: amounts of money are shown.
    """
    rows = AuditEntry.objects.filter(object_type="booking", object_code=booking.code)
    for row in rows.order_by("at", "pk"):
        before, after = row.before or {}, row.after or {}
        by = _by(row)
        yield {
            "at": row.at,
            "deed": row.action.removeprefix("booking."),
            "by": by,
            "who": row.actor_label if named or by == "tenant" else "",
            "was": before.get("status"),
            "became": after.get("status"),
            "why": str(after.get("why", "")),
            "detail": {
                key: value
                for key, value in after.items()
                if key not in _KNOWN and (priced or key not in _MONEY)
            },
        }


def _by(row: AuditEntry) -> str:
    if row.actor_kind not in ("user", "demo"):
        return "system"
    return "tenant" if row.actor_role in TENANT_ROLES or row.actor_kind == "demo" else "base"
