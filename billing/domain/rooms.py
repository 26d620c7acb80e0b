"""Room time: cut a span into bands and days, and price each piece at list price.

Source: pricing_rules.band_split and .session_price of the demo data.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from base_ops.core import money
from base_ops.core.spans import Span
from billing.domain.catalog import Band, NotPriced, PriceBook, Tariff
from billing.domain.days import rate_of
from billing.domain.terms import Overtime
from billing.domain.texts import SHANGHAI, Bi, hours_text, local

HALF_HOUR_S = 1800
SESSION_HALF_HOURS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a span inside one band of one Shanghai day, with its list price.

    `surge` says whether the day is a surge day; `multiplier` is what the price was multiplied by,
    which on a day with prices of its own is that day's factor, named by `note`.
    """

    span: Span
    band: Band
    surge: Decimal
    half_hours: int
    hourly_fen: int
    list_fen: int
    blocks: int = 0
    session_fen: int = 0
    seats: int = 1
    multiplier: Decimal = Decimal(1)
    note: Bi | None = None

    def times(self, seats: int) -> "Piece":
        """The same time for so many seats."""
        return replace(self, seats=seats, list_fen=self.list_fen * seats)

    @property
    def quantity(self) -> str:
        """Sessions and hours as billed, e.g. "2×4h+1h", or "2h ×3" for three seats."""
        rest = self.half_hours - SESSION_HALF_HOURS * self.blocks
        parts = [f"{self.blocks}×4h"] if self.blocks else []
        text = "+".join(parts + ([f"{hours_text(rest)}h"] if rest else []))
        return f"{text} ×{self.seats}" if self.seats > 1 else text

    @property
    def prices(self) -> str:
        """The unit prices that apply, e.g. "220.00/4h + 60.00/h"."""
        rest = self.half_hours > SESSION_HALF_HOURS * self.blocks
        parts = [f"{money.yuan(self.session_fen)}/4h"] if self.blocks else []
        return " + ".join(parts + ([f"{money.yuan(self.hourly_fen)}/h"] if rest else []))


def cut(span: Span, bands: tuple[Band, ...]) -> Iterator[tuple[Span, Band]]:
    """The span in pieces that each lie in one band of one Shanghai day, in order.

    Raises:
        NotPriced: the bands leave a hole in the day.
    """
    start = span.start
    while start < span.end:
        here = local(start)
        midnight = datetime(here.year, here.month, here.day, tzinfo=SHANGHAI)
        minute = here.hour * 60 + here.minute
        band = next((b for b in bands if b.from_min <= minute < b.to_min), None)
        if band is None:
            raise NotPriced(f"no time band at {here:%H:%M}")
        end = min(span.end, (midnight + timedelta(minutes=band.to_min)).astimezone(UTC))
        yield Span(start, end), band
        start = end


def pieces(span: Span, *, tariff: Tariff, book: PriceBook) -> list[Piece]:
    """Price each piece of the span: whole 4-hour blocks as sessions, the rest per half-hour."""
    return [_piece(part, band, tariff, book) for part, band in cut(span, book.bands)]


def _piece(span: Span, band: Band, tariff: Tariff, book: PriceBook) -> Piece:
    """One piece; rounded once, after the surge."""
    rate = rate_of(tariff, book, local(span.start).date(), band.code)
    hourly, session = rate.hourly_fen, rate.session_fen
    half_hours = -(-int(span.length.total_seconds()) // HALF_HOUR_S)
    blocks = int(span.length.total_seconds()) // (SESSION_HALF_HOURS * HALF_HOUR_S)
    blocks = blocks if session is not None else 0
    doubled = 2 * blocks * (session or 0) + (half_hours - SESSION_HALF_HOURS * blocks) * hourly
    return Piece(
        span=span,
        band=band,
        surge=rate.surge,
        half_hours=half_hours,
        hourly_fen=hourly,
        list_fen=money.round_half_up(Decimal(doubled) * rate.multiplier / 2),
        blocks=blocks,
        session_fen=session or 0,
        multiplier=rate.multiplier,
        note=rate.note,
    )


def overtime_fen(
    span: Span, *, tariff: Tariff, book: PriceBook, terms: Overtime, next_booked: bool = False
) -> int:
    """Price of running over, per started step of each band, rounded once; 0 within the grace.

    A price of its own per step counts the steps of the whole span, whatever the band.

    Source: pricing_rules.overtime of the demo data.
    """
    if terms.forgives(span):
        return 0
    if terms.step_price_fen is not None:
        return terms.steps(span) * terms.step_price_fen
    total = Decimal(0)
    factor = terms.factor(next_booked=next_booked)
    for part, band in cut(span, book.bands):
        rate = rate_of(tariff, book, local(part.start).date(), band.code)
        hourly = rate.hourly_fen * terms.step_min
        total += Decimal(terms.steps(part) * hourly) * rate.multiplier * factor / 60
    return money.round_half_up(total)
