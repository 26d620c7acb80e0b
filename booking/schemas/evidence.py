"""What the API says about what a booking used, and what failed meanwhile."""

from datetime import datetime

from ninja import Schema

from booking.selectors import Evidence
from devices.schemas.usage import (
    EnergyOut,
    LiveSessionOut,
    OutagesOut,
    energy_out,
    outages_out,
    session_out,
)


class EvidenceOut(Schema):
    """Of a stay so far; `energy` is null where others share the meters, or nobody was there."""

    booking: str
    checked_in_at: datetime | None
    ended_at: datetime | None
    energy: EnergyOut | None
    live_sessions: list[LiveSessionOut]
    outages: OutagesOut


def evidence_out(found: Evidence, code: str, ended_at: datetime | None) -> EvidenceOut:
    """As everybody who may see the booking sees it."""
    return EvidenceOut(
        booking=code,
        checked_in_at=found.stay.start if found.stay else None,
        ended_at=ended_at,
        energy=energy_out(found.energy) if found.energy else None,
        live_sessions=[session_out(session) for session in found.sessions],
        outages=outages_out(found.outages),
    )
