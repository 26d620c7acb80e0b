"""What happened, as booking reports it; billing turns facts into charges, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from base_ops.core.spans import Span
from billing.domain.rating import ServiceWish

Outcome = Literal["completed", "no_show", "cancelled"]


def booking_source(code: str) -> str:
    """The name of a booking's fact, for `reserve`, `release` and charges."""
    return f"booking/{code}"


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """One booking that is over, with the quote that was frozen when it was made.

    `quote` is `Quote.as_json()`; `services` beside those in the quote were ordered later.
    `included_wh` overrides the quote's; energy is billed only when both figures are known.
    """

    booking_code: str
    tenant_id: int
    space_id: int
    span: Span
    outcome: Outcome
    quote: Mapping[str, Any]
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None
    overtime: Span | None = None
    next_booked: bool = False
    services: tuple[ServiceWish, ...] = ()
    energy_wh: int | None = None
    included_wh: int | None = None

    @property
    def source(self) -> str:
        """Unique name of the fact."""
        return booking_source(self.booking_code)


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A booking was moved late: a fee for the time that it gave up.

    `number` tells one change of a booking from another; `quote` is the one before the change,
    `pct` the percentage that cancelling would have cost then.
    """

    booking_code: str
    number: int
    tenant_id: int
    space_id: int
    span: Span
    became: Span
    quote: Mapping[str, Any]
    fee_fen: int
    pct: int

    @property
    def source(self) -> str:
        """Unique name of the fact."""
        return f"{booking_source(self.booking_code)}/change/{self.number}"


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """One lease in one month; `month` is its first day.

    `monthly_rent_fen` is the agreed rent and wins over the tariff; `policy` names the approved
    relief, if any, whose years count from `since`, the first day of the lease that this renews.
    `free_months` are whole months from `starts_on`: from the 16th they end on a 15th.
    """

    lease_code: str
    tenant_id: int
    space_id: int
    month: date
    starts_on: date
    ends_on: date
    units: int | None = None
    area_m2: Decimal | None = None
    monthly_rent_fen: int | None = None
    free_months: int = 0
    policy: str | None = None
    since: date | None = None

    @property
    def source(self) -> str:
        """Unique name of the fact."""
        return f"lease/{self.lease_code}/{self.month:%Y-%m}"


@dataclass(frozen=True, slots=True)
class LeaseCutFacts:
    """A lease that now ends on `ends_on`, its last day, and the month that was charged before."""

    lease_code: str
    month: date
    ends_on: date

    @property
    def charged(self) -> str:
        """The name of the fact that was charged."""
        return f"lease/{self.lease_code}/{self.month:%Y-%m}"

    @property
    def source(self) -> str:
        """Unique name of the fact."""
        return f"{self.charged}/until/{self.ends_on}"


@dataclass(frozen=True, slots=True)
class FaultFacts:
    """An outage of the base's own equipment during a booking, proven by telemetry."""

    fault_code: str
    booking_code: str
    outage_min: int
    evidence: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Unique name of the fact."""
        return f"fault/{self.fault_code}"
