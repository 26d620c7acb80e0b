"""Reads: who takes what when, free rooms, near and equal alternatives, somebody's bookings."""

from booking.selectors.air import encoders_known, on_air, streaming_encoders
from booking.selectors.alternatives import alternatives, equal_spaces
from booking.selectors.blackouts import (
    BlackoutNotFound,
    blackout_for,
    blackout_units,
    blackouts,
    blackouts_filtered,
)
from booking.selectors.bookings import BookingNotFound, booking_for, bookings_for, filtered
from booking.selectors.equipment import pools
from booking.selectors.evidence import Evidence, evidence
from booking.selectors.finding import SEARCH, Wanted, bookable_spaces
from booking.selectors.handovers import (
    HandoverNotFound,
    handover_of,
    open_problems,
    photo_of,
)
from booking.selectors.heat import HOURS, days_of, taken_minutes
from booking.selectors.history import history
from booking.selectors.leases import (
    LeaseNotFound,
    lease_for,
    leases_filtered,
    leases_for,
    renewal_of,
    unit_numbers,
)
from booking.selectors.opening import Openings, Part, openings
from booking.selectors.rulebook import (
    NoRules,
    UnknownRules,
    book_at_hand,
    book_for,
    book_of,
    current_book,
    known_codes,
    newest_rules,
    place,
    renter,
    row_of,
    rule_versions,
)
from booking.selectors.selling import sales
from booking.selectors.starting import Offers, Search, free_units_of, next_starts, runs
from booking.selectors.taking import (
    Taken,
    TakenAsked,
    active,
    ask_taken,
    ask_taken_in_pools,
    buffers,
    free_units,
    taken,
    units_of,
)
from booking.selectors.usage import Asked, RulesChanged, ask_usage, usage

__all__ = [
    "HOURS",
    "SEARCH",
    "Asked",
    "BlackoutNotFound",
    "BookingNotFound",
    "Evidence",
    "HandoverNotFound",
    "LeaseNotFound",
    "NoRules",
    "Offers",
    "Openings",
    "Part",
    "RulesChanged",
    "Search",
    "Taken",
    "TakenAsked",
    "UnknownRules",
    "Wanted",
    "active",
    "alternatives",
    "ask_taken",
    "ask_taken_in_pools",
    "ask_usage",
    "blackout_for",
    "blackout_units",
    "blackouts",
    "blackouts_filtered",
    "book_at_hand",
    "book_for",
    "book_of",
    "bookable_spaces",
    "booking_for",
    "bookings_for",
    "buffers",
    "current_book",
    "days_of",
    "encoders_known",
    "equal_spaces",
    "evidence",
    "filtered",
    "free_units",
    "free_units_of",
    "handover_of",
    "history",
    "known_codes",
    "lease_for",
    "leases_filtered",
    "leases_for",
    "newest_rules",
    "next_starts",
    "on_air",
    "open_problems",
    "openings",
    "photo_of",
    "place",
    "pools",
    "renewal_of",
    "renter",
    "row_of",
    "rule_versions",
    "runs",
    "sales",
    "streaming_encoders",
    "taken",
    "taken_minutes",
    "unit_numbers",
    "units_of",
    "usage",
]
