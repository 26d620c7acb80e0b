"""Bookings, the allocations that make them exclusive, leases, calendar feeds, counts."""

from booking.models.allocations import KINDS, Allocation
from booking.models.bookings import STATUSES, Booking
from booking.models.feeds import CalendarFeed
from booking.models.figures import RefusalCount
from booking.models.leases import Lease

__all__ = ["KINDS", "STATUSES", "Allocation", "Booking", "CalendarFeed", "Lease", "RefusalCount"]
