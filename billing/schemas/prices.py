"""What the API says about prices and policies; amounts in integer fen, tax included."""

from datetime import date

from ninja import Schema

from billing.schemas.plain import Plain


class BandOut(Schema):
    """A part of the day in minutes after midnight, Shanghai time."""

    code: str
    name_zh: str
    name_en: str
    from_min: int
    to_min: int


class SurgeOut(Schema):
    """Days of the year ("MM-DD", both included) on which some bands cost more."""

    code: str
    name_zh: str
    name_en: str
    from_md: str
    to_md: str
    multiplier: Plain
    bands: list[str]


class DayPriceOut(Schema):
    """Kinds of days on which some bands cost more or less."""

    code: str
    name_zh: str
    name_en: str
    kinds: list[str]
    factor: Plain
    bands: list[str]


class OwnPricesOut(Schema):
    """A tariff's own prices on one kind of day."""

    hourly_fen: dict[str, int]
    session_fen: dict[str, int]


class TariffOut(Schema):
    """Prices of one kind of space."""

    code: str
    version: int
    name_zh: str
    hourly_fen: dict[str, int]
    session_fen: dict[str, int]
    monthly_per_m2_fen: int | None
    unit: str
    unit_period: str
    unit_price_fen: int | None
    includes_zh: str
    included_wh_per_hour: int | None
    vat_hourly: str
    vat_monthly: str
    by_day: dict[str, OwnPricesOut]


class TariffsOut(Schema):
    """The price list in force."""

    version: str
    bands: list[BandOut]
    surges: list[SurgeOut]
    day_prices: list[DayPriceOut]
    tariffs: list[TariffOut]


class ServiceOut(Schema):
    """A service; no price means by agreement, as the note says."""

    code: str
    name_zh: str
    name_en: str
    unit: str
    price_fen: int | None
    price_note: str


class BudgetOut(Schema):
    """What a policy may cost in one year."""

    year: int
    limit_fen: int
    reserved_fen: int
    committed_fen: int
    left_fen: int


class PolicyOut(Schema):
    """One version of a policy; budgets and the document only for who answers for them.

    `document` is the policy in the language of `POST /policies/check`, however it was written.
    """

    code: str
    version: int
    state: str
    kind: str
    name_zh: str
    name_en: str
    funding: str
    valid_from: date
    valid_to: date
    data: dict[str, object]
    document: dict[str, object] | None = None
    budgets: list[BudgetOut] = []
