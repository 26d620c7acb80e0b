"""The booking endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from booking.api import (
    bookings,
    calendars,
    leases,
    search,
)

PARTS = (
    bookings,
    calendars,
    leases,
    search,
)

router = Router(tags=["booking"])
for part in PARTS:
    router.add_router("", part.router)
