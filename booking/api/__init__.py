"""The booking endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from booking.api import bookings, calendars, search

router = Router(tags=["booking"])
for part in (bookings, calendars, search):
    router.add_router("", part.router)
