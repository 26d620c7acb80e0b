"""What the district is asked to pay: claims by programme and period, one line per fact."""

from django.db import models
from django.db.models import F, Q

from billing.models.charges import UsageFact
from billing.models.invoices import Invoice


class ClaimStatus(models.TextChoices):
    """draft → submitted → accepted, cut or refused → paid; a draft may be discarded."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    CUT = "cut"
    REFUSED = "refused"
    PAID = "paid"
    DISCARDED = "discarded"


class Claim(models.Model):
    """One programme's relief of one period."""

    programme = models.CharField(max_length=16, help_text="code of the policy")
    period_from = models.DateField()
    period_to = models.DateField(help_text="last day, included")
    status = models.CharField(max_length=12, choices=ClaimStatus, default=ClaimStatus.DRAFT)
    requested_fen = models.BigIntegerField(default=0)
    accepted_fen = models.BigIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=240, blank=True)
    bank_reference = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="claim_never_more_than_asked",
                condition=Q(accepted_fen__gte=0, accepted_fen__lte=F("requested_fen")),
            ),
            models.CheckConstraint(
                name="claim_period_not_empty", condition=Q(period_to__gte=F("period_from"))
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}"


class ClaimLine(models.Model):
    """What one fact cost the district; a fact is in one live claim at most, of any programme."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="lines")
    fact = models.ForeignKey(UsageFact, on_delete=models.PROTECT, related_name="+")
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    booking_code = models.CharField(max_length=32, blank=True)
    service_on = models.DateField()
    amount_fen = models.BigIntegerField()
    accepted_fen = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    live_s = models.PositiveIntegerField(null=True, help_text="seconds on air that are proven")
    live = models.BooleanField(default=True, help_text="false: may be claimed again")

    class Meta:
        ordering = ["service_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fact"], condition=Q(live=True), name="claimline_fact_once"
            ),
            models.CheckConstraint(name="claimline_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="claimline_never_more_than_asked",
                condition=Q(accepted_fen=None)
                | Q(accepted_fen__gte=0, accepted_fen__lte=F("amount_fen")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}: {self.fact_id}"
