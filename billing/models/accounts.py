"""The ledger: accounts, entries and their postings. An entry never changes (triggers)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class AccountKind(models.TextChoices):
    """Which side of the books; debits add to assets and expenses."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"


class Account(models.Model):
    """One account; `role` is what the postings ask for, `charge_kinds` what is earned on it."""

    code = models.CharField(max_length=12, unique=True)
    role = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=AccountKind)
    charge_kinds = ArrayField(models.CharField(max_length=16), default=list)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Period(models.Model):
    """One month of the books that was closed, and perhaps opened again."""

    month = models.DateField(unique=True, help_text="its first day")
    closed = models.BooleanField(default=True)
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=160)
    reopened_at = models.DateTimeField(null=True)
    reopened_by = models.CharField(max_length=160, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-month"]
        constraints = [models.CheckConstraint(name="period_is_a_month", condition=Q(month__day=1))]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Entry(models.Model):
    """One fact of the books, once: debits and credits that balance at the end of a transaction.

    `on` is the day in whose period it counts, `revenue_on` the last day of the use that earned
    it, `vat_on` the day on which the tax fell due; they may lie in different months.
    """

    source = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=24)
    tenant = models.ForeignKey(
        "core.Tenant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, null=True, related_name="entries"
    )
    on = models.DateField()
    revenue_on = models.DateField(null=True)
    vat_on = models.DateField(null=True)
    memo = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-on", "-id"]
        indexes = [models.Index(fields=["on"], name="entry_day")]

    def __str__(self) -> str:
        return self.source


class Posting(models.Model):
    """One side of an entry in fen: a debit is positive, a credit negative."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    tenant = models.ForeignKey(
        "core.Tenant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["account", "tenant"], name="posting_account_tenant")]
        constraints = [
            models.CheckConstraint(name="posting_not_zero", condition=~Q(amount_fen=0)),
            models.UniqueConstraint("entry", "account", name="posting_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount_fen}"


class OpenItem(models.Model):
    """What one issued document still asks for; `posted` says that the ledger has it.

    The database makes it when the document is issued, and counts what is allocated to it.
    """

    invoice = models.OneToOneField(
        "billing.Invoice", on_delete=models.PROTECT, primary_key=True, related_name="open_item"
    )
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    gross_fen = models.BigIntegerField()
    settled_fen = models.BigIntegerField(default=0)
    issued_on = models.DateField()
    due_on = models.DateField()
    posted = models.BooleanField(default=False)

    class Meta:
        ordering = ["due_on", "invoice_id"]
        indexes = [
            models.Index(fields=["invoice"], condition=Q(posted=False), name="openitem_unposted"),
            models.Index(
                fields=["tenant", "due_on"],
                condition=Q(gross_fen__gt=F("settled_fen")),
                name="openitem_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="openitem_never_over",
                condition=Q(gross_fen__gte=0, settled_fen__gte=0, settled_fen__lte=F("gross_fen"))
                | Q(gross_fen__lt=0, settled_fen=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}"

    @property
    def open_fen(self) -> int:
        """What is still to be paid."""
        return max(self.gross_fen - self.settled_fen, 0)
