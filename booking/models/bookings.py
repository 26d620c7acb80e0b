"""Bookings: what tenants asked for, with all that belongs to one."""

from datetime import datetime, timedelta

import msgspec
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThan

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking.domain import slots, states
from booking.models.equipment import EquipmentPool
from booking.models.series import Series

STATUSES = [(str(s), str(s)) for s in states.Status]


class Booking(models.Model):
    """What a tenant asked for: one space (or units of it) for [starts_at, ends_at)."""

    code = models.CharField(max_length=16, unique=True)
    tenant = models.ForeignKey(  # found by the indexes below
        Tenant, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="as booked; overtime_until is beyond it")
    overtime_until = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=STATUSES)
    expires_at = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=32)
    headcount = models.PositiveIntegerField()
    units = models.PositiveIntegerField(default=1)
    part_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    setup_min = models.PositiveSmallIntegerField(default=0, db_default=0)
    teardown_min = models.PositiveSmallIntegerField(default=0, db_default=0)
    buffers_shared = models.BooleanField(default=False, db_default=False)
    services = models.JSONField(default=list, blank=True)
    quote = models.JSONField(default=dict, blank=True)
    price_fen = models.BigIntegerField(default=0)
    rules_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="of the rules that judged it; none judged imported ones"
    )
    approvals = models.JSONField(
        default=list, blank=True, db_default=[], help_text="rules that ask for the base's approval"
    )
    waived = models.JSONField(
        default=list, blank=True, db_default=[], help_text="broken rules that were overridden"
    )
    pin = models.CharField(max_length=6)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    in_room_since = models.DateTimeField(
        null=True, blank=True, help_text="when a running stay was transferred to this room"
    )
    checked_in_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=240, blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True)
    ready = models.CharField(
        max_length=5, choices=[("green", "green"), ("red", "red")], blank=True
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    ready_reasons = models.JSONField(default=list, blank=True)
    proposal = models.JSONField(null=True, blank=True, help_text="an equal free room when red")
    warned_min = models.PositiveSmallIntegerField(default=0, help_text="10 or 5 before a hard end")
    wrap_due_at = models.DateTimeField(null=True, blank=True)
    live_minutes = models.PositiveIntegerField(null=True, blank=True)
    energy_wh = models.BigIntegerField(null=True, blank=True)
    source = models.CharField(max_length=16, default="api")
    series = models.ForeignKey(
        Series, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings"
    )
    recurrence_id = models.DateTimeField(
        null=True, blank=True, help_text="the start its series gave it, wherever it was moved"
    )
    version = models.PositiveIntegerField(default=1)

    encoded_quote: msgspec.Raw | None = None
    """The quote as JSON text, on a booking that was just made with it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="booking_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="booking_overtime_after_end",
                condition=Q(overtime_until__isnull=True) | Q(overtime_until__gt=F("ends_at")),
            ),
            models.CheckConstraint(
                name="booking_status_known", condition=Q(status__in=[s for s, _ in STATUSES])
            ),
            models.CheckConstraint(
                name="booking_hold_expires",
                condition=~Q(status__in=["held", "draft"]) | Q(expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="booking_price_not_negative", condition=Q(price_fen__gte=0)
            ),
            models.CheckConstraint(
                name="booking_recurs_in_series",
                condition=Q(series__isnull=True, recurrence_id__isnull=True)
                | Q(series__isnull=False, recurrence_id__isnull=False),
            ),
            # A date that was given back may be booked again.
            models.UniqueConstraint(
                fields=["series", "recurrence_id"],
                name="booking_once_per_recurrence",
                condition=~Q(status__in=states.GIVEN_BACK),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "starts_at"], name="booking_of_tenant"),
            models.Index(fields=["status", "starts_at"], name="booking_by_status"),
            # What somebody owes is asked with every booking; what is over does not count.
            models.Index(
                fields=["tenant"], name="booking_owed", condition=Q(status__in=states.BLOCKING)
            ),
            # So few take spaces beside their room that they are asked for by themselves.
            models.Index(
                fields=["starts_at"], name="booking_apart", condition=Q(part_count__gt=0)
            ),
            # Whoever looks for those who are there looks back a day for the others.
            models.Index(
                fields=["starts_at"], name="booking_long",
                condition=Q(GreaterThan(F("ends_at") - F("starts_at"), Value(timedelta(days=1)))),
            ),
            models.Index(
                fields=["wrap_due_at"], name="booking_wrap_due",
                condition=Q(wrap_due_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.code

    @property
    def span(self) -> Span:
        """The time as booked and quoted."""
        return Span(self.starts_at, self.ends_at)

    @property
    def until(self) -> datetime:
        """When the tenant's right to the room ends, overtime included."""
        return self.overtime_until or self.ends_at

    @property
    def buffers(self) -> slots.Buffers:
        """Setup and teardown as they were when it was booked."""
        return slots.Buffers.of_minutes(
            self.setup_min, self.teardown_min, shared=self.buffers_shared
        )

    @property
    def shares_space(self) -> bool:
        """Whether others may be in the room too: then its devices and meters are nobody's own."""
        return self.units < (self.space.unit_count or 1)


class BookingPart(models.Model):
    """What a booking takes beside its room: seats in another space, or units of an equipment pool.

    It lies within a day of the booking and has a block and buffers of its own.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="parts")
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    pool = models.ForeignKey(
        EquipmentPool, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    quantity = models.PositiveSmallIntegerField(default=1)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    setup_min = models.PositiveSmallIntegerField(default=0)
    teardown_min = models.PositiveSmallIntegerField(default=0)
    buffers_shared = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="bookingpart_space_or_pool",
                condition=Q(space__isnull=True, pool__isnull=False)
                | Q(space__isnull=False, pool__isnull=True),
            ),
            models.CheckConstraint(
                name="bookingpart_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="bookingpart_takes_some", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.quantity} × {self.space_id or self.pool_id}"

    @property
    def span(self) -> Span:
        """When it is wanted."""
        return Span(self.starts_at, self.ends_at)

    @property
    def buffers(self) -> slots.Buffers:
        """Setup and teardown as they were when it was booked."""
        return slots.Buffers.of_minutes(
            self.setup_min, self.teardown_min, shared=self.buffers_shared
        )
