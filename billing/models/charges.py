"""Facts that cost something, and their priced lines. Neither ever changes (triggers)."""

from django.db import models
from django.db.models import F, Q


class UsageFact(models.Model):
    """One thing that happened, rated once: the unique source is what makes it once."""

    source = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=16)
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    payload = models.JSONField()
    tariff_version = models.CharField(max_length=12)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.source


class Document(models.TextChoices):
    """Which kind of paper a charge belongs on."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Payer(models.TextChoices):
    """Who bears an amount: the tenant, the base itself, or the district's budget."""

    TENANT = "tenant"
    BASE = "base"
    DISTRICT = "district"


class Charge(models.Model):
    """One priced line of a fact, in fen, tax included. A correction is another charge."""

    source = models.CharField(max_length=120, unique=True)
    fact = models.ForeignKey(UsageFact, on_delete=models.PROTECT, related_name="charges")
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    document = models.CharField(max_length=12, choices=Document, default=Document.INVOICE)
    kind = models.CharField(max_length=16)
    booking_code = models.CharField(max_length=32, blank=True)
    space_code = models.CharField(max_length=32, blank=True)
    service_on = models.DateField(help_text="Shanghai day on which the use began")
    description_zh = models.CharField(max_length=240)
    description_en = models.CharField(max_length=240)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    band = models.CharField(max_length=16, blank=True)
    surge = models.DecimalField(max_digits=5, decimal_places=2, default=1)
    quantity = models.CharField(max_length=24, blank=True)
    unit = models.CharField(max_length=32, blank=True)
    unit_fen = models.BigIntegerField(null=True)
    price_text = models.CharField(max_length=60, blank=True)
    gross_fen = models.BigIntegerField()
    net_fen = models.BigIntegerField()
    vat_fen = models.BigIntegerField()
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    vat_category = models.CharField(max_length=32)
    policy = models.CharField(max_length=16, blank=True)
    payer = models.CharField(
        max_length=12,
        choices=Payer,
        default=Payer.TENANT,
        db_default="tenant",
        help_text="of a discount: who bears what the tenant need not pay",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["service_on", "id"]
        indexes = [models.Index(fields=["tenant", "service_on"], name="charge_tenant_day")]
        constraints = [
            models.CheckConstraint(
                name="charge_net_plus_vat",
                condition=Q(gross_fen=F("net_fen") + F("vat_fen")),
            )
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def invoice(self) -> str | None:
        """The number of the document it is on, if any."""
        line = getattr(self, "invoice_line", None)
        return line.invoice.number if line else None
