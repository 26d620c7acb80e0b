"""Doors: the displays that show a code to check in with, and the PINs that were wrong."""

from django.db import models

from base_ops.core.models import Space
from booking.models.bookings import Booking


class DoorDisplay(models.Model):
    """A screen at the door of one space; its token reads that door's code and nothing else."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class WrongPin(models.Model):
    """A PIN that was not the booking's; a few of them lock the PIN for a while."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="wrong_pins")
    at = models.DateTimeField()
    by = models.CharField(max_length=160)

    class Meta:
        indexes = [models.Index(fields=["booking", "at"], name="wrong_pin_of_booking")]

    def __str__(self) -> str:
        return f"{self.booking_id} {self.at}"
