"""Who sends the invoices: one row, seeded with the illustrative seller. Invoices copy it."""

from django.db import models
from django.db.models import Q


class Seller(models.Model):
    """The base's own company, and what the tax office wants to know of the building it lets."""

    name_zh = models.CharField(max_length=160)
    name_en = models.CharField(max_length=160)
    uscc = models.CharField(max_length=18, blank=True)
    address_zh = models.CharField(max_length=240)
    address_en = models.CharField(max_length=240)
    bank_zh = models.CharField(max_length=160)
    bank_en = models.CharField(max_length=160)
    account = models.CharField(max_length=40)
    region_zh = models.CharField(max_length=120, help_text="of the building: province to district")
    property_zh = models.CharField(max_length=240, help_text="street and number of the building")
    certificate = models.CharField(max_length=64, help_text="of the building's ownership")
    cross_city = models.BooleanField(default=False, help_text="let outside the seller's city")
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="seller_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.name_zh
