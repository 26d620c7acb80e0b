"""What tenants use up: hours of a month, hours and budgets of policies; and proofs they gave."""

from django.db import models
from django.db.models import F, Q


class Evidence(models.Model):
    """A fact about a tenant that policies ask for, proven by a document, for some time.

    `key` is agreement, programme_filed, annual_gmv (`value` in yuan) or approval (`value` names
    the policy).
    """

    tenant = models.ForeignKey("core.Tenant", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=32)
    value = models.CharField(max_length=64, blank=True)
    document_zh = models.CharField(max_length=160, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint("tenant", "key", "value", "valid_from", name="evidence_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.value}"


class Budget(models.Model):
    """What one policy may cost in a year, in fen: reserved by bookings, committed by invoices."""

    policy_code = models.CharField(max_length=16)
    year = models.PositiveSmallIntegerField()
    limit_fen = models.BigIntegerField()
    reserved_fen = models.BigIntegerField(default=0)
    committed_fen = models.BigIntegerField(default=0)
    limit_version = models.PositiveIntegerField(
        default=1, db_default=1, help_text="how often somebody has set the limit"
    )

    class Meta:
        ordering = ["policy_code", "year"]
        constraints = [
            models.UniqueConstraint("policy_code", "year", name="budget_once_per_year"),
            models.CheckConstraint(
                name="budget_never_negative",
                condition=Q(
                    reserved_fen__gte=0,
                    committed_fen__gte=0,
                    limit_fen__gte=F("reserved_fen") + F("committed_fen"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_code} {self.year}"

    @property
    def left_fen(self) -> int:
        """What may still be promised."""
        return self.limit_fen - self.reserved_fen - self.committed_fen


class ReservationState(models.TextChoices):
    """A promise, kept or taken back."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"


class Reservation(models.Model):
    """The monthly use and the discounts that one booking or lease month claims."""

    source = models.CharField(max_length=80, unique=True)
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="first day of the month of use")
    half_hours = models.PositiveIntegerField()
    state = models.CharField(
        max_length=12, choices=ReservationState, default=ReservationState.RESERVED
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "month"], name="reservation_tenant_month")]

    def __str__(self) -> str:
        return self.source


class PolicyUse(models.Model):
    """What one policy gives to one reservation."""

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="uses")
    policy_code = models.CharField(max_length=16)
    policy_version = models.PositiveIntegerField()
    half_hours = models.PositiveIntegerField(default=0)
    amount_fen = models.BigIntegerField()
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint("reservation", "policy_code", name="policyuse_once"),
            models.CheckConstraint(name="policyuse_not_negative", condition=Q(amount_fen__gte=0)),
        ]

    def __str__(self) -> str:
        return self.policy_code
