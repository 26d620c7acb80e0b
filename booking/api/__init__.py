"""The booking endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from booking.api import (
    blackouts,
    bookings,
    calendars,
    changes,
    deciding,
    doors,
    equipment,
    evidence,
    exports,
    figures,
    handovers,
    imports,
    leases,
    refusing,
    rules,
    search,
    series,
    waitlist,
    walls,
    whatif,
)

PARTS = (
    whatif,
    blackouts,
    bookings,
    calendars,
    changes,
    deciding,
    doors,
    equipment,
    evidence,
    exports,
    figures,
    imports,
    handovers,
    leases,
    rules,
    search,
    series,
    waitlist,
    walls,
)

install = refusing.install
router = Router(tags=["booking"])
for part in PARTS:
    router.add_router("", part.router)
