"""Money that came in, where it went, wallets and deposits.

Sums are counted by the database as rows come in (triggers), and can never be exceeded (checks).
"""

from django.db import models
from django.db.models import F, Q

from billing.models.accounts import OpenItem


class Method(models.TextChoices):
    """How money came; the last three were ours before."""

    TRANSFER = "transfer"
    CASH = "cash"
    CARD = "card"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    WALLET = "wallet"
    DEPOSIT = "deposit"
    CREDIT_NOTE = "credit_note"


class Payment(models.Model):
    """Money for documents; without a tenant while nobody knows whose it is."""

    source = models.CharField(max_length=120, unique=True)
    tenant = models.ForeignKey(
        "core.Tenant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    method = models.CharField(max_length=12, choices=Method)
    amount_fen = models.BigIntegerField()
    allocated_fen = models.BigIntegerField(default=0)
    moved_fen = models.BigIntegerField(default=0, help_text="into the wallet")
    refunded_fen = models.BigIntegerField(default=0)
    received_on = models.DateField()
    bank_reference = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    payer = models.CharField(max_length=160, blank=True)
    text = models.CharField(max_length=240, blank=True, help_text="what the payer wrote")
    note = models.CharField(max_length=200, blank=True)
    credit_note = models.OneToOneField(
        "billing.Invoice", on_delete=models.PROTECT, null=True, related_name="+"
    )
    voided_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_on", "-id"]
        indexes = [models.Index(fields=["tenant", "received_on"], name="payment_tenant_day")]
        constraints = [
            models.CheckConstraint(
                name="payment_never_over",
                condition=Q(
                    amount_fen__gt=0,
                    allocated_fen__gte=0,
                    moved_fen__gte=0,
                    refunded_fen__gte=0,
                    amount_fen__gte=F("allocated_fen") + F("moved_fen") + F("refunded_fen"),
                ),
            ),
            models.CheckConstraint(
                name="payment_used_has_tenant",
                condition=Q(tenant__isnull=False) | Q(allocated_fen=0, moved_fen=0),
            ),
            models.CheckConstraint(
                name="payment_void_is_unused",
                condition=Q(voided_at=None) | Q(allocated_fen=0, moved_fen=0, refunded_fen=0),
            ),
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def left_fen(self) -> int:
        """What is not used yet."""
        if self.voided_at is not None:
            return 0
        return self.amount_fen - self.allocated_fen - self.moved_fen - self.refunded_fen


class Allocation(models.Model):
    """So much of a payment for a document from a day on; taking back is a row below zero."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    item = models.ForeignKey(OpenItem, on_delete=models.PROTECT, related_name="allocations")
    amount_fen = models.BigIntegerField()
    on = models.DateField()
    takes_back = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="allocation_positive_or_taken_back",
                condition=Q(amount_fen__gt=0, takes_back=None)
                | Q(amount_fen__lt=0, takes_back__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} → {self.item_id}: {self.amount_fen}"


class Wallet(models.Model):
    """What a tenant paid ahead."""

    tenant = models.OneToOneField(
        "core.Tenant", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    balance_fen = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="wallet_never_negative", condition=Q(balance_fen__gte=0))
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.balance_fen}"


class WalletMove(models.Model):
    """Into a wallet, or out of it below zero."""

    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=[(k, k) for k in ("top_up", "use", "refund")])
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="+")
    on = models.DateField()
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="walletmove_not_zero", condition=~Q(amount_fen=0))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"


class Refund(models.Model):
    """Money given back: the rest of a payment, or of a wallet."""

    tenant = models.ForeignKey(
        "core.Tenant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="refunds"
    )
    amount_fen = models.BigIntegerField()
    method = models.CharField(max_length=12, choices=Method)
    on = models.DateField()
    reason = models.CharField(max_length=200)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="refund_positive", condition=Q(amount_fen__gt=0))
        ]

    def __str__(self) -> str:
        return f"refund {self.amount_fen}"


class Deposit(models.Model):
    """Security that a tenant gave for one purpose, e.g. "lease/LS-0001"."""

    purpose = models.CharField(max_length=80, unique=True)
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    taken_fen = models.BigIntegerField(default=0)
    set_off_fen = models.BigIntegerField(default=0)
    returned_fen = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="deposit_never_over",
                condition=Q(
                    set_off_fen__gte=0,
                    returned_fen__gte=0,
                    taken_fen__gte=F("set_off_fen") + F("returned_fen"),
                ),
            )
        ]

    def __str__(self) -> str:
        return self.purpose

    @property
    def held_fen(self) -> int:
        """What is still held."""
        return self.taken_fen - self.set_off_fen - self.returned_fen


class DepositMove(models.Model):
    """Taken, set off against documents, or given back."""

    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="moves")
    kind = models.CharField(
        max_length=8, choices=[(k, k) for k in ("taken", "set_off", "returned")]
    )
    amount_fen = models.BigIntegerField()
    method = models.CharField(max_length=12, choices=Method)
    on = models.DateField()
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="depositmove_positive", condition=Q(amount_fen__gt=0))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"
