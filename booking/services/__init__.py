"""Deeds on bookings; each is one transaction."""

from booking.services.amending import amend
from booking.services.ending import cancel, expire_due, reject, release
from booking.services.handovers import test_due as test_handovers
from booking.services.judging import try_rules
from booking.services.lateness import note_late_rooms
from booking.services.lease_charges import charge_leases
from booking.services.lease_ending import end_leases, tell_ending
from booking.services.making import book, draft
from booking.services.moving import Change, move, preview, swap
from booking.services.preparing import record_ready, run_prepare, wrap_up
from booking.services.quotes import QuoteChanged, QuoteExpired, offer_quote
from booking.services.refusals import count_refusal
from booking.services.rulebook import (
    BadRules,
    RulesInThePast,
    check_document,
    ensure_rules,
    publish_rules,
)
from booking.services.settling import approve, confirm, hold
from booking.services.staying import (
    Proof,
    check_in,
    check_out,
    code_for_door,
    come_in,
    come_in_by_door,
    finish,
    hand_over,
    prove,
)
from booking.services.sweeping import (
    end_due,
    extend_due,
    release_no_shows,
    warn_due,
)
from booking.services.taking import SlotTaken
from booking.services.transferring import transfer
from booking.services.waiting import expire_waiting, offer_freed, stop_waiting, wait
from booking.services.wishes import BookingWish, Extra

__all__ = [
    "BadRules",
    "BookingWish",
    "Change",
    "Extra",
    "Proof",
    "QuoteChanged",
    "QuoteExpired",
    "RulesInThePast",
    "SlotTaken",
    "amend",
    "approve",
    "book",
    "cancel",
    "charge_leases",
    "check_document",
    "check_in",
    "check_out",
    "code_for_door",
    "come_in",
    "come_in_by_door",
    "confirm",
    "count_refusal",
    "draft",
    "end_due",
    "end_leases",
    "ensure_rules",
    "expire_due",
    "expire_waiting",
    "extend_due",
    "finish",
    "hand_over",
    "hold",
    "move",
    "note_late_rooms",
    "offer_freed",
    "offer_quote",
    "preview",
    "prove",
    "publish_rules",
    "record_ready",
    "reject",
    "release",
    "release_no_shows",
    "run_prepare",
    "stop_waiting",
    "swap",
    "tell_ending",
    "test_handovers",
    "transfer",
    "try_rules",
    "wait",
    "warn_due",
    "wrap_up",
]
