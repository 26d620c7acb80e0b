"""Deeds on bookings; each is one transaction."""

from booking.services.ending import cancel, expire_due, reject, release
from booking.services.lease_charges import charge_leases
from booking.services.lease_ending import end_leases, tell_ending
from booking.services.making import SlotTaken, amend, approve, book, confirm, draft, hold
from booking.services.preparing import record_ready, run_prepare, wrap_up
from booking.services.quotes import QuoteChanged, QuoteExpired, offer_quote
from booking.services.refusals import count_refusal
from booking.services.staying import check_in, check_out, code_for_door, finish, hand_over
from booking.services.sweeping import (
    end_due,
    extend_due,
    release_no_shows,
    warn_due,
)
from booking.services.wishes import BookingWish, Extra

__all__ = [
    "BookingWish",
    "Extra",
    "QuoteChanged",
    "QuoteExpired",
    "SlotTaken",
    "amend",
    "approve",
    "book",
    "cancel",
    "charge_leases",
    "check_in",
    "check_out",
    "code_for_door",
    "confirm",
    "count_refusal",
    "draft",
    "end_due",
    "end_leases",
    "expire_due",
    "extend_due",
    "finish",
    "hand_over",
    "hold",
    "offer_quote",
    "record_ready",
    "reject",
    "release",
    "release_no_shows",
    "run_prepare",
    "tell_ending",
    "warn_due",
    "wrap_up",
]
