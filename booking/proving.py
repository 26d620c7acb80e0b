"""Hands billing what devices prove about bookings, for claims."""

from collections.abc import Collection, Mapping
from datetime import datetime

from billing import proofs
from billing.proofs import Proof
from booking.models import Booking
from booking.selectors.evidence import evidence


def connect() -> None:
    """Answer when billing asks."""
    proofs.register(live)


def live(codes: Collection[str], now: datetime) -> Mapping[str, Proof]:
    """Seconds on air of bookings somebody was checked in to, with the shows they come from."""
    rows = Booking.objects.filter(code__in=codes).exclude(checked_in_at=None)
    return {row.code: _proof(row, now) for row in rows.select_related("space__type")}


def _proof(row: Booking, now: datetime) -> Proof:
    found = evidence(row, now=now)
    shows = [
        {
            "from": show.span.start.isoformat(),
            "to": show.span.end.isoformat(),
            "on_air_s": int(show.on_air.total_seconds()),
            "breaks": show.breaks,
        }
        for show in found.sessions
    ]
    stay = found.stay
    checked_in = {"from": stay.start.isoformat(), "to": stay.end.isoformat()} if stay else None
    total = sum(int(show.on_air.total_seconds()) for show in found.sessions)
    return Proof(total, {"stay": checked_in, "shows": shows})
