"""The booking endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from booking.api import bookings

router = Router(tags=["booking"])
for part in (bookings,):
    router.add_router("", part.router)
