"""The waitlist: wishes for times that are taken, first come, first served."""

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space, SpaceType, Tenant
from base_ops.core.spans import Span
from booking.models.bookings import Booking

WAITING = ["waiting", "offered", "accepted", "lapsed", "cancelled", "expired"]


class WaitlistEntry(models.Model):
    """A tenant waits for [starts_at, ends_at) in one space, or in any of a type.

    The primary key is the place in the line. `offered` is the hold that was made for it; what
    became of that hold decides between accepted and lapsed.
    """

    code = models.CharField(max_length=16, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    space_type = models.ForeignKey(
        SpaceType, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    headcount = models.PositiveIntegerField(default=1)
    units = models.PositiveIntegerField(default=1)
    purpose = models.CharField(max_length=32)
    title = models.CharField(max_length=120, blank=True)
    services = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=9, choices=[(s, s) for s in WAITING], default="waiting")
    offered = models.OneToOneField(
        Booking, on_delete=models.PROTECT, null=True, blank=True, related_name="waitlist_entry"
    )
    refused_why = models.CharField(
        max_length=64, blank=True, help_text="code of the refusal when it was last its turn"
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="waitlist_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="waitlist_space_or_type",
                condition=Q(space__isnull=True, space_type__isnull=False)
                | Q(space__isnull=False, space_type__isnull=True),
            ),
            models.CheckConstraint(name="waitlist_status_known", condition=Q(status__in=WAITING)),
            models.CheckConstraint(
                name="waitlist_offer_has_booking",
                condition=~Q(status__in=["offered", "accepted", "lapsed"])
                | Q(offered__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at", "id"], name="waitlist_waiting", condition=Q(status="waiting")
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def span(self) -> Span:
        """The time that is wished for."""
        return Span(self.starts_at, self.ends_at)
