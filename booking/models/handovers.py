"""How a room was given back: what its devices said, what people noted and photographed."""

from django.db import models
from django.db.models import Q

from booking.models.bookings import Booking

VERDICTS = [("open", "open"), ("good", "good"), ("problems", "problems")]


class Handover(models.Model):
    """The state of a room at the end of one booking; evidence, so it is only added to.

    It is open until the devices had their time to come to rest and were tested.
    """

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="handover")
    at = models.DateTimeField()
    by = models.CharField(max_length=160)
    verdict = models.CharField(max_length=8, choices=VERDICTS, default="open")
    devices = models.JSONField(default=list, blank=True, help_text="what each was found to be")
    tested_at = models.DateTimeField(null=True, blank=True)
    test_due_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(max_length=2000, blank=True)
    problem = models.BooleanField(default=False, help_text="people found one")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=160, blank=True)
    settled_note = models.CharField(max_length=240, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="handover_verdict_known",
                condition=Q(verdict__in=[v for v, _ in VERDICTS]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["test_due_at"], name="handover_test_due",
                condition=Q(test_due_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.booking_id} {self.verdict}"


class HandoverPhoto(models.Model):
    """One photo, encoded anew without anything but its pixels; stored with what it proves."""

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="photos")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=160)
    media_type = models.CharField(max_length=16)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the stored image")
    image = models.BinaryField()
    thumbnail = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["handover", "number"], name="handover_photo_once_per_number"
            ),
            models.UniqueConstraint(
                fields=["handover", "digest"], name="handover_photo_once_per_image"
            ),
            models.CheckConstraint(
                name="handover_photo_few", condition=Q(number__gte=1, number__lte=8)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id}/{self.number}"


class LateStart(models.Model):
    """A booking whose room was not free when it should have been: told, and kept for a credit.

    `ate_setup_at`: since when somebody else's show takes the time to make ready. `freed_at`: when
    the room was free; what lies between the booked start and that was lost.
    """

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="late_start")
    caused_by = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")
    ate_setup_at = models.DateTimeField()
    expected_at = models.DateTimeField(null=True, blank=True)
    proposal = models.JSONField(null=True, blank=True, help_text="an equal free room")
    freed_at = models.DateTimeField(null=True, blank=True)
    lost_min = models.PositiveIntegerField(default=0)
    credited_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.booking_id} +{self.lost_min}"
