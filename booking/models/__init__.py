"""Bookings, the allocations that make them exclusive, and leases."""

from booking.models.allocations import KINDS, Allocation
from booking.models.bookings import STATUSES, Booking
from booking.models.leases import Lease

__all__ = ["KINDS", "STATUSES", "Allocation", "Booking", "Lease"]
