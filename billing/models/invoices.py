"""Invoice runs, invoices and their numbers. An issued invoice never changes (triggers)."""

from django.db import models
from django.db.models import F, Q

from billing.models.charges import Charge, Document


class RunStatus(models.TextChoices):
    """preview → approved → issuing → issued, or failed when no document could be made.

    A newer preview supersedes an older one.
    """

    PREVIEW = "preview"
    APPROVED = "approved"
    ISSUING = "issuing"
    ISSUED = "issued"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class InvoiceRun(models.Model):
    """All open charges up to the end of a period, made into documents."""

    period_from = models.DateField()
    period_to = models.DateField(help_text="last day, included")
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.PREVIEW)
    inputs_hash = models.CharField(max_length=64)
    last_charge_id = models.BigIntegerField(help_text="later charges belong to a later run")
    entries_total = models.PositiveIntegerField(default=0)
    entries_done = models.PositiveIntegerField(default=0)
    net_fen = models.BigIntegerField(default=0)
    vat_fen = models.BigIntegerField(default=0)
    gross_fen = models.BigIntegerField(default=0)
    created_by = models.CharField(max_length=160)
    approved_by = models.CharField(max_length=160, blank=True)
    created_key = models.CharField(
        max_length=80, blank=True, db_default="", help_text="who, beyond doubt"
    )
    approved_key = models.CharField(max_length=80, blank=True, db_default="")
    second_person = models.BooleanField(
        default=False, db_default=False, help_text="two were needed"
    )
    before_from = models.DateField(null=True, help_text="what it was compared with")
    before_to = models.DateField(null=True)
    before_fen = models.BigIntegerField(default=0, db_default=0)
    surprises = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    issue_asked_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="run_period_not_empty", condition=Q(period_to__gte=F("period_from"))
            ),
            models.CheckConstraint(
                name="run_done_within_total", condition=Q(entries_done__lte=F("entries_total"))
            ),
            models.CheckConstraint(
                name="run_approved_by_another",
                condition=Q(second_person=False) | ~Q(approved_key=F("created_key")),
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def topic(self) -> str:
        """Where its progress is published."""
        return f"runs.{self.pk}"


class NumberSeries(models.Model):
    """The last number drawn of one series in one year; the row lock keeps numbers gapless."""

    series = models.CharField(max_length=8)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("series", "year", name="numberseries_once")]

    def __str__(self) -> str:
        return f"{self.series}-{self.year}"


class InvoiceStatus(models.TextChoices):
    """A draft lives only inside the transaction that issues it."""

    DRAFT = "draft"
    ISSUED = "issued"


class Invoice(models.Model):
    """One document to one tenant; names of seller and buyer are kept as they were."""

    number = models.CharField(max_length=24, unique=True, null=True)  # noqa: DJ001 - a draft has none
    kind = models.CharField(max_length=12, choices=Document)
    status = models.CharField(max_length=8, choices=InvoiceStatus, default=InvoiceStatus.DRAFT)
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    period_from = models.DateField()
    period_to = models.DateField()
    issued_at = models.DateTimeField()
    issued_on = models.DateField()
    due_on = models.DateField()
    seller = models.JSONField()
    buyer = models.JSONField()
    line_count = models.PositiveIntegerField(default=0)
    net_fen = models.BigIntegerField(default=0)
    vat_fen = models.BigIntegerField(default=0)
    gross_fen = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-issued_at", "-id"]
        indexes = [models.Index(fields=["tenant", "issued_on"], name="invoice_tenant_day")]
        constraints = [
            models.CheckConstraint(
                name="invoice_net_plus_vat",
                condition=Q(gross_fen=F("net_fen") + F("vat_fen")),
            ),
            models.CheckConstraint(
                name="invoice_issued_iff_numbered",
                condition=Q(status="draft", number=None)
                | Q(status="issued", number__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number or "draft"


class InvoiceLine(models.Model):
    """One charge on one document: a charge is billed once, because it can be here only once."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, related_name="invoice_line")
    position = models.PositiveIntegerField()
    description_zh = models.CharField(max_length=240)
    description_en = models.CharField(max_length=240)
    band = models.CharField(max_length=16, blank=True)
    surge = models.DecimalField(max_digits=5, decimal_places=2, default=1)
    quantity = models.CharField(max_length=24, blank=True)
    unit = models.CharField(max_length=32, blank=True)
    unit_fen = models.BigIntegerField(null=True)
    price_text = models.CharField(max_length=60, blank=True)
    policy = models.CharField(max_length=16, blank=True)
    vat_category = models.CharField(max_length=32)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    net_fen = models.BigIntegerField()
    vat_fen = models.BigIntegerField()
    gross_fen = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint("invoice", "position", name="invoiceline_place_once"),
            models.CheckConstraint(
                name="invoiceline_net_plus_vat",
                condition=Q(gross_fen=F("net_fen") + F("vat_fen")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"


class RunEntry(models.Model):
    """One document that a run will make; `charge_ids` are its frozen inputs, in line order."""

    run = models.ForeignKey(InvoiceRun, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField()
    tenant = models.ForeignKey("core.Tenant", on_delete=models.PROTECT, related_name="+")
    document = models.CharField(max_length=12, choices=Document)
    charge_ids = models.JSONField()
    inputs_hash = models.CharField(max_length=64)
    net_fen = models.BigIntegerField()
    vat_fen = models.BigIntegerField()
    gross_fen = models.BigIntegerField()
    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, null=True, related_name="run_entry"
    )
    problem = models.CharField(max_length=200, blank=True)
    note = models.CharField(
        max_length=200, blank=True, db_default="", help_text="more about the problem"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint("run", "position", name="runentry_place_once"),
            models.UniqueConstraint("run", "tenant", "document", name="runentry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.position}"
