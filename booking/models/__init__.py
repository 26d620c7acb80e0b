"""Bookings, the allocations that make them exclusive, and what belongs to them."""

from booking.models.allocations import KINDS, Allocation
from booking.models.blackouts import Blackout
from booking.models.bookings import STATUSES, Booking, BookingPart
from booking.models.doors import DoorDisplay, WrongPin
from booking.models.equipment import EquipmentPool, EquipmentUnit
from booking.models.feeds import CalendarFeed
from booking.models.figures import RefusalCount
from booking.models.handovers import Handover, HandoverPhoto, LateStart
from booking.models.leases import Lease
from booking.models.rulebook import RuleBook
from booking.models.series import Series, SeriesSkip
from booking.models.waitlist import WaitlistEntry
from booking.models.walls import WallDisplay

__all__ = [
    "KINDS",
    "STATUSES",
    "Allocation",
    "Blackout",
    "Booking",
    "BookingPart",
    "CalendarFeed",
    "DoorDisplay",
    "EquipmentPool",
    "EquipmentUnit",
    "Handover",
    "HandoverPhoto",
    "LateStart",
    "Lease",
    "RefusalCount",
    "RuleBook",
    "Series",
    "SeriesSkip",
    "WaitlistEntry",
    "WallDisplay",
    "WrongPin",
]
