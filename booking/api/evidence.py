"""What a booking used and what failed meanwhile: the proof behind its charges and credits."""

from django.http import HttpRequest
from ninja import Router

from base_ops.core import clock
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors
from booking.api import common
from booking.schemas.evidence import EvidenceOut, evidence_out

router = Router(tags=["booking"])


@router.get("/bookings/{code}/evidence", response={200: EvidenceOut, codes_4xx: Problem})
def read_evidence(request: HttpRequest, code: str) -> EvidenceOut:
    """Energy with its gaps, live sessions, and proven outages with what each rests on."""
    booking = common.booking_of(request, code)
    found = selectors.evidence(booking, now=clock.now())
    return evidence_out(found, booking.code, booking.ended_at)
