"""Red letters against invoices, and what is left of each invoice. Counters keep it within."""

from django.db import models
from django.db.models import F, Q

from billing.domain.reds import BuyerUse, RedReason, RedState, Side
from billing.models.charges import Charge
from billing.models.invoices import Invoice, InvoiceLine

_STATES = [(str(s), str(s)) for s in RedState]
_REASONS = [(str(r), str(r)) for r in RedReason]
_USES = [(str(u), str(u)) for u in BuyerUse]
_SIDES = [(str(s), str(s)) for s in Side]


class InvoiceStanding(models.Model):
    """What the buyer did with an invoice, and how much of it is taken back or about to be.

    The row is locked before a red letter is judged; the constraint holds whatever the code does.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="standing")
    gross_fen = models.BigIntegerField()
    credited_fen = models.BigIntegerField(default=0, help_text="open and issued red letters")
    buyer_use = models.CharField(max_length=8, choices=_USES, default=BuyerUse.NONE)
    buyer_use_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="standing_credits_within_invoice",
                condition=Q(credited_fen__gte=0, credited_fen__lte=F("gross_fen")),
            ),
            models.CheckConstraint(
                name="standing_use_dated",
                condition=Q(buyer_use=BuyerUse.NONE, buyer_use_on=None)
                | (~Q(buyer_use=BuyerUse.NONE) & Q(buyer_use_on__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"standing of {self.invoice_id}"


class RedLetter(models.Model):
    """A confirmation form (红字确认单) that becomes a credit note; amounts are given back."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="red_letters")
    reason = models.CharField(max_length=12, choices=_REASONS)
    note = models.CharField(max_length=240, blank=True)
    state = models.CharField(max_length=12, choices=_STATES)
    started_by_side = models.CharField(max_length=8, choices=_SIDES)
    buyer_use = models.CharField(max_length=8, choices=_USES, help_text="when it was started")
    net_fen = models.BigIntegerField()
    vat_fen = models.BigIntegerField()
    gross_fen = models.BigIntegerField()
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="unconfirmed by then, it is void")
    decided_by = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=240, blank=True)
    credit_note = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, related_name="red_letter"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="redletter_net_plus_vat",
                condition=Q(gross_fen=F("net_fen") + F("vat_fen"), gross_fen__gt=0),
            ),
            models.CheckConstraint(
                name="redletter_issued_iff_document",
                condition=Q(state=RedState.ISSUED, credit_note__isnull=False)
                | (~Q(state=RedState.ISSUED) & Q(credit_note=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"red letter {self.pk}"


class RedLine(models.Model):
    """What one red letter takes off one line; of a discount line, negative."""

    red_letter = models.ForeignKey(RedLetter, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="reds")
    net_fen = models.BigIntegerField()
    vat_fen = models.BigIntegerField()
    gross_fen = models.BigIntegerField()

    class Meta:
        ordering = ["line__position"]
        constraints = [
            models.UniqueConstraint("red_letter", "line", name="redline_once"),
            models.CheckConstraint(
                name="redline_net_plus_vat",
                condition=Q(gross_fen=F("net_fen") + F("vat_fen")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.red_letter_id}/{self.line_id}"


class ChargeCorrection(models.Model):
    """A charge that was wrong: what reverses it, and what stands in its place. Once per charge."""

    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, related_name="correction")
    reversal = models.OneToOneField(
        Charge, on_delete=models.PROTECT, null=True, related_name="reverses",
        help_text="none when a red letter took it back",
    )  # fmt: skip
    replacement = models.OneToOneField(
        Charge, on_delete=models.PROTECT, null=True, related_name="replaces"
    )
    reason = models.CharField(max_length=240)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"correction of {self.charge_id}"
