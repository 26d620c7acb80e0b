"""Deeds on bookings; each is one transaction."""

from booking.services.lease_charges import charge_leases
from booking.services.lease_ending import end_leases, tell_ending
from booking.services.making import (
    BookingWish,
    QuoteChanged,
    QuoteExpired,
    SlotTaken,
    amend,
    book,
    cancel,
    confirm,
    offer_quote,
)
from booking.services.preparing import record_ready, run_prepare, wrap_up
from booking.services.refusals import count_refusal
from booking.services.staying import check_in, check_out, code_for_door, finish, hand_over
from booking.services.sweeping import (
    end_due,
    expire_holds,
    extend_due,
    release_no_shows,
    warn_due,
)

__all__ = [
    "BookingWish",
    "QuoteChanged",
    "QuoteExpired",
    "SlotTaken",
    "amend",
    "book",
    "cancel",
    "charge_leases",
    "check_in",
    "check_out",
    "code_for_door",
    "confirm",
    "count_refusal",
    "end_due",
    "end_leases",
    "expire_holds",
    "extend_due",
    "finish",
    "hand_over",
    "offer_quote",
    "record_ready",
    "release_no_shows",
    "run_prepare",
    "tell_ending",
    "warn_due",
    "wrap_up",
]
