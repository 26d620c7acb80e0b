"""Leases: monthly rent of spaces and of units in them."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from booking.domain import leases

STATUSES = [(str(s), str(s)) for s in leases.Status]


class Lease(models.Model):
    """Monthly rent of a whole space, or of some units in it, for [starts_on, ends_on).

    Which units it has is said by its allocations. Of a space that is divided, all of it is all of
    its units.
    """

    code = models.CharField(max_length=16, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=12, choices=STATUSES, default=leases.Status.SIGNED, db_default="signed"
    )
    renews = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewals"
    )
    since_on = models.DateField(null=True, blank=True, help_text="first day of the first lease")
    units = models.PositiveIntegerField(null=True, blank=True)
    wanted_units = models.JSONField(
        default=list, db_default=[], blank=True, help_text="numbers; none: any"
    )
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="the first day after the lease")
    agreed_ends_on = models.DateField(
        null=True, blank=True, help_text="as signed, when it was terminated earlier"
    )
    monthly_rent_fen = models.BigIntegerField()
    area_m2 = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    free_months = models.PositiveIntegerField(default=0)
    notice_months = models.PositiveIntegerField(default=1, db_default=1)
    policy_code = models.CharField(max_length=16, blank=True)
    deposit_months = models.PositiveIntegerField(default=0)
    deposit_fen = models.BigIntegerField(default=0, db_default=0, help_text="what is due")
    deposit_received_fen = models.BigIntegerField(default=0, db_default=0)
    deposit_received_on = models.DateField(null=True, blank=True)
    deposit_returned_fen = models.BigIntegerField(default=0, db_default=0)
    deposit_returned_on = models.DateField(null=True, blank=True)
    deposit_note = models.CharField(max_length=240, blank=True, default="", db_default="")
    created_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    noticed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=240, blank=True, default="", db_default="")
    told_at = models.DateTimeField(null=True, blank=True, help_text="that its end is near")
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lease_ends_after_start", condition=Q(ends_on__gt=F("starts_on"))
            ),
            models.CheckConstraint(
                name="lease_rent_not_negative", condition=Q(monthly_rent_fen__gte=0)
            ),
            models.CheckConstraint(
                name="lease_status_known", condition=Q(status__in=[s for s, _ in STATUSES])
            ),
            models.UniqueConstraint(
                fields=["renews"],
                name="lease_renewed_once",
                condition=Q(renews__isnull=False) & ~Q(status="withdrawn"),
            ),
            models.CheckConstraint(
                name="lease_deposit_adds_up",
                condition=Q(
                    deposit_returned_fen__gte=0,
                    deposit_received_fen__gte=F("deposit_returned_fen"),
                    deposit_fen__gte=F("deposit_received_fen"),
                ),
            ),
            models.CheckConstraint(
                name="lease_deposit_received_dated",
                condition=Q(deposit_received_fen=0, deposit_received_on=None)
                | Q(deposit_received_fen__gt=0, deposit_received_on__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["status", "ends_on"], name="lease_by_end")]

    def __str__(self) -> str:
        return self.code

    @property
    def span(self) -> Span:
        """The instants of the lease."""
        return leases.block(self.starts_on, self.ends_on)

    @property
    def since(self) -> date:
        """The first day of the lease that this one renews, or its own."""
        return self.since_on or self.starts_on
