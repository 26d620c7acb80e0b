"""Leases: monthly rent of spaces and of units in them."""

from django.db import models
from django.db.models import F, Q

from base_ops.core.models import Space, Tenant


class Lease(models.Model):
    """Monthly rent of a whole space, or of some units in it, for [starts_on, ends_on)."""

    code = models.CharField(max_length=16, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    units = models.PositiveIntegerField(null=True, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="the first day after the lease")
    monthly_rent_fen = models.BigIntegerField()
    area_m2 = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    deposit_months = models.PositiveIntegerField(default=0)
    free_months = models.PositiveIntegerField(default=0)
    policy_code = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lease_ends_after_start", condition=Q(ends_on__gt=F("starts_on"))
            ),
            models.CheckConstraint(
                name="lease_rent_not_negative", condition=Q(monthly_rent_fen__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.code
