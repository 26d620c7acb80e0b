"""The price book in rows; `selectors.price_book` reads it into plain values."""

from django.db import connection, models
from django.db.models import Q


class PriceBookVersion(models.Model):
    """One row: which book is in force. Its serial tells every process to read again."""

    serial = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(max_length=12)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="pricebook_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.fingerprint

    def advance(self) -> None:
        """A serial that nobody has read, not even in a transaction that came to nothing."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('billing_pricebook_serial')")
            self.serial = int(cursor.fetchone()[0])


class TermsRow(models.Model):
    """The terms of one price book, kept for ever: bookings are settled by those of their quote."""

    fingerprint = models.CharField(max_length=12, unique=True)
    terms = models.JSONField()
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint


class TimeBandRow(models.Model):
    """A part of the day in minutes, [from_min, to_min)."""

    code = models.CharField(max_length=16, unique=True)
    name_zh = models.CharField(max_length=32)
    name_en = models.CharField(max_length=32)
    from_min = models.PositiveSmallIntegerField()
    to_min = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["from_min"]
        constraints = [
            models.CheckConstraint(
                name="band_within_day",
                condition=Q(to_min__gt=models.F("from_min"), to_min__lte=1440),
            )
        ]

    def __str__(self) -> str:
        return self.code


class TariffRow(models.Model):
    """Prices of one kind of space, tax included, in fen."""

    code = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=0)
    name_zh = models.CharField(max_length=80)
    hourly_fen = models.JSONField(default=dict)
    session_fen = models.JSONField(default=dict)
    monthly_per_m2_fen = models.BigIntegerField(null=True)
    unit = models.CharField(max_length=32, blank=True)
    unit_period = models.CharField(max_length=16, blank=True)
    unit_price_fen = models.BigIntegerField(null=True)
    includes_zh = models.CharField(max_length=200, blank=True)
    included_wh_per_hour = models.PositiveIntegerField(null=True)
    vat_hourly = models.CharField(max_length=32)
    vat_monthly = models.CharField(max_length=32)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint("code", "version", name="tariff_once_per_version"),
            models.CheckConstraint(
                name="tariff_not_negative",
                condition=(Q(monthly_per_m2_fen__gte=0) | Q(monthly_per_m2_fen=None))
                & (Q(unit_price_fen__gte=0) | Q(unit_price_fen=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class SurgeRow(models.Model):
    """Days of the year on which some bands cost more, both ends included ("MM-DD")."""

    code = models.CharField(max_length=32, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    from_md = models.CharField(max_length=5)
    to_md = models.CharField(max_length=5)
    multiplier = models.DecimalField(max_digits=5, decimal_places=2)
    bands = models.JSONField(default=list)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(name="surge_not_below_one", condition=Q(multiplier__gte=1))
        ]

    def __str__(self) -> str:
        return self.code


class ServiceRow(models.Model):
    """Something billed by quantity; no price means by agreement."""

    code = models.CharField(max_length=32, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    unit = models.CharField(max_length=32)
    price_fen = models.BigIntegerField(null=True)
    price_note = models.CharField(max_length=40, blank=True)
    vat_category = models.CharField(max_length=32)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                name="service_not_negative", condition=Q(price_fen__gte=0) | Q(price_fen=None)
            )
        ]

    def __str__(self) -> str:
        return self.code


class VatRateRow(models.Model):
    """The rate of a VAT category from a day on."""

    category = models.CharField(max_length=32)
    valid_from = models.DateField()
    rate = models.DecimalField(max_digits=5, decimal_places=4)

    class Meta:
        ordering = ["category", "valid_from"]
        constraints = [
            models.UniqueConstraint("category", "valid_from", name="vat_once_per_day"),
            models.CheckConstraint(
                name="vat_is_a_share", condition=Q(rate__gte=0) & Q(rate__lt=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.rate}"


class PolicyState(models.TextChoices):
    """A version is written, then in force on its days, or never."""

    DRAFT = "draft"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class PolicyRow(models.Model):
    """One version of a policy; `data` is its document, read by domain.policylang.

    Nothing that a version says ever changes; of one that is in force only its last day moves
    (triggers).
    """

    code = models.CharField(max_length=16)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    label_zh = models.CharField(max_length=80)
    label_en = models.CharField(max_length=80)
    funding = models.CharField(max_length=32)
    valid_from = models.DateField()
    valid_to = models.DateField()
    data = models.JSONField()
    state = models.CharField(
        max_length=12, choices=PolicyState, default=PolicyState.ACTIVE, db_default="active"
    )
    saved_at = models.DateTimeField(null=True)
    saved_by = models.CharField(max_length=160, blank=True, db_default="")

    class Meta:
        ordering = ["code", "version"]
        constraints = [
            models.UniqueConstraint("code", "version", name="policy_once_per_version"),
            models.CheckConstraint(
                name="policy_ends_after_start",
                condition=Q(valid_to__gte=models.F("valid_from")),
            ),
            models.CheckConstraint(
                name="policy_state_known", condition=Q(state__in=PolicyState.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"
