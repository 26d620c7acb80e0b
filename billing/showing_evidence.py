"""What a line of a document rests on, side by side."""

from typing import Any

from billing.models import InvoiceLine, PolicyRow
from billing.schemas.invoices import LineOut
from billing.schemas.statements import LineEvidenceOut

_MEASURED = ("energy_wh", "included_wh", "outage_min", "encoder_min", "evidence")


def evidence(line: InvoiceLine) -> LineEvidenceOut:
    """What the fact behind the line's charge holds; nothing that is not in it is said."""
    charge = line.charge
    fact = charge.fact
    known: dict[str, Any] = fact.payload if isinstance(fact.payload, dict) else {}
    return LineEvidenceOut(
        line=LineOut.from_orm(line),
        source=fact.source,
        kind=fact.kind,
        recorded_at=fact.recorded_at,
        tariff_version=fact.tariff_version,
        booking=charge.booking_code,
        booked=_span(known.get("span")),
        used=_used(known),
        measured={name: known[name] for name in _MEASURED if known.get(name) is not None},
        policy=_policy(charge.policy, known),
        facts={k: v for k, v in known.items() if k not in ("tenant_id", "space_id", "quote")},
    )


def _span(found: Any) -> dict[str, Any] | None:
    return found if isinstance(found, dict) else None


def _used(known: dict[str, Any]) -> dict[str, Any] | None:
    """How it went: the outcome, when it ended, and the overtime."""
    names = ("outcome", "started_at", "ended_at", "cancelled_at", "overtime")
    found = {name: known[name] for name in names if known.get(name) is not None}
    return found or None


def _policy(code: str, known: dict[str, Any]) -> dict[str, Any] | None:
    """The discount's rule, in the version that the quote was made with."""
    if not code:
        return None
    quote = known.get("quote")
    verdicts = quote.get("verdicts", []) if isinstance(quote, dict) else []
    said = next((v for v in verdicts if isinstance(v, dict) and v.get("code") == code), {})
    row = PolicyRow.objects.filter(code=code).order_by("-version").first()
    names = {"name_zh": row.name_zh, "name_en": row.name_en} if row else {}
    return {"code": code, **names, "verdict": said}
