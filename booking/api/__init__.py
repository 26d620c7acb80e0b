"""The booking endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from booking.api import (
    bookings,
    calendars,
    exports,
    leases,
    search,
)

PARTS = (
    bookings,
    calendars,
    exports,
    leases,
    search,
)

router = Router(tags=["booking"])
for part in PARTS:
    router.add_router("", part.router)
