"""Bookings, the allocations that make them exclusive, and what belongs to them."""

from booking.models.allocations import KINDS, Allocation
from booking.models.bookings import STATUSES, Booking, BookingPart
from booking.models.equipment import EquipmentPool, EquipmentUnit
from booking.models.feeds import CalendarFeed
from booking.models.figures import RefusalCount
from booking.models.leases import Lease

__all__ = [
    "KINDS",
    "STATUSES",
    "Allocation",
    "Booking",
    "BookingPart",
    "CalendarFeed",
    "EquipmentPool",
    "EquipmentUnit",
    "Lease",
    "RefusalCount",
]
