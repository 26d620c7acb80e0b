"""Allocations: the only thing that can conflict."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from base_ops.core.models import Space
from base_ops.core.spans import Span
from booking.models.blackouts import Blackout
from booking.models.bookings import Booking
from booking.models.equipment import EquipmentPool
from booking.models.leases import Lease

KINDS = ["booking", "blackout", "lease"]


class Allocation(models.Model):
    """One resource is taken during one block: the only thing that can conflict.

    The resource is (space, unit): unit 0 is the whole space, 1..unit_count its units; or
    (pool, unit): one thing of an equipment pool. The block includes setup and teardown, frozen
    when it was booked. Rows change only under the lock of their space or pool.
    """

    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    pool = models.ForeignKey(
        EquipmentPool, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    unit = models.PositiveIntegerField(default=0)
    block = DateTimeRangeField()
    starts_at = models.GeneratedField(
        expression=Func(F("block"), function="lower"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    ends_at = models.GeneratedField(
        expression=Func(F("block"), function="upper"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    kind = models.CharField(max_length=8, choices=[(k, k) for k in KINDS])
    booking = models.ForeignKey(
        Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="allocations"
    )
    lease = models.ForeignKey(
        Lease, on_delete=models.CASCADE, null=True, blank=True, related_name="allocations"
    )
    blackout = models.ForeignKey(
        Blackout, on_delete=models.CASCADE, null=True, blank=True, related_name="allocations"
    )
    note = models.CharField(max_length=120, blank=True)
    active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="of a hold")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="allocation_no_overlap",
                expressions=[
                    ("space", RangeOperators.EQUAL),
                    ("unit", RangeOperators.EQUAL),
                    ("block", RangeOperators.OVERLAPS),
                ],
                condition=Q(active=True),
            ),
            ExclusionConstraint(
                name="allocation_no_overlap_in_pool",
                expressions=[
                    ("pool", RangeOperators.EQUAL),
                    ("unit", RangeOperators.EQUAL),
                    ("block", RangeOperators.OVERLAPS),
                ],
                condition=Q(active=True, pool__isnull=False),
            ),
            models.CheckConstraint(
                name="allocation_space_or_pool",
                condition=Q(space__isnull=True, pool__isnull=False)
                | Q(space__isnull=False, pool__isnull=True),
            ),
            # An empty range overlaps nothing, so it would slip through the constraint above.
            models.CheckConstraint(name="allocation_not_empty", condition=Q(block__isempty=False)),
            models.CheckConstraint(
                name="allocation_bounded",
                condition=Q(block__lower_inf=False, block__upper_inf=False),
            ),
            models.CheckConstraint(
                name="allocation_half_open",
                condition=Q(block__lower_inc=True, block__upper_inc=False),
            ),
            models.CheckConstraint(name="allocation_kind_known", condition=Q(kind__in=KINDS)),
            models.CheckConstraint(
                name="allocation_of_its_kind",
                condition=Q(kind="booking", booking__isnull=False, lease=None, blackout=None)
                | Q(kind="lease", booking=None, lease__isnull=False, blackout=None)
                | Q(kind="blackout", booking=None, lease=None),
            ),
        ]
        indexes = [
            # Search walks the blocks of a unit in order and never looks at the table itself.
            models.Index(
                fields=["space", "unit", "starts_at"],
                name="allocation_by_start",
                condition=Q(active=True),
                include=["ends_at", "expires_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.block}"

    @property
    def span(self) -> Span:
        """The block; both bounds exist (constraint allocation_bounded)."""
        assert self.block.lower is not None
        assert self.block.upper is not None
        return Span(self.block.lower, self.block.upper)
