"""Numbers that the tax platform gave to e-invoices."""

from django.db import models
from django.db.models import Q

from billing.models.invoices import Invoice


class EInvoice(models.Model):
    """The number of one part of an invoice; unique, and once per part."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="einvoices")
    part = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=20, unique=True)
    issued_on = models.DateField()
    imported_by = models.CharField(max_length=160)
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["invoice", "part"]
        constraints = [
            models.UniqueConstraint("invoice", "part", name="einvoice_part_once"),
            models.CheckConstraint(
                name="einvoice_number_20_digits", condition=Q(number__regex="^[0-9]{20}$")
            ),
        ]

    def __str__(self) -> str:
        return self.number
