"""Statements (对账单) of a tenant's month, and what the tenant says of single lines."""

from django.db import models
from django.db.models import F, Q

from billing.domain.disputes import DisputeState, StatementState
from billing.models.invoices import Invoice, InvoiceLine

_DISPUTES = [(str(s), str(s)) for s in DisputeState]
_STATEMENTS = [(str(s), str(s)) for s in StatementState]


class Statement(models.Model):
    """What a tenant owed before a month, what moved it, and what it owes after; frozen."""

    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="first day")
    state = models.CharField(max_length=12, choices=_STATEMENTS, default=StatementState.SENT)
    opening_fen = models.BigIntegerField()
    moved_fen = models.BigIntegerField()
    closing_fen = models.BigIntegerField()
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=160, blank=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-month", "-id"]
        constraints = [
            models.CheckConstraint(
                name="statement_adds_up",
                condition=Q(closing_fen=F("opening_fen") + F("moved_fen")),
            ),
            models.UniqueConstraint(
                "tenant", "month", name="statement_once",
                condition=~Q(state=StatementState.REPLACED),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.month:%Y-%m}"


class StatementEntry(models.Model):
    """One movement: a document raises (or lowers) what is owed, a payment lowers it."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    on = models.DateField()
    reference = models.CharField(max_length=120)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="+")
    amount_fen = models.BigIntegerField()
    balance_fen = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint("statement", "position", name="statemententry_place_once")
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.position}"


class Dispute(models.Model):
    """A tenant's objection to one line of a document, and the base's answer."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="disputes")
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=_DISPUTES, default=DisputeState.RAISED)
    reason = models.CharField(max_length=500)
    answer = models.CharField(max_length=500, blank=True)
    raised_by = models.CharField(max_length=160)
    raised_at = models.DateTimeField()
    answered_by = models.CharField(max_length=160, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "line", name="dispute_one_open", condition=Q(state=DisputeState.RAISED)
            )
        ]

    def __str__(self) -> str:
        return f"dispute {self.pk}"
