"""What is owed once a booking is over: as quoted, or a fee, and what came on top.

Source: pricing_rules of the demo data (cancellation, no_show, overtime) and policy P17.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from base_ops.core import money
from base_ops.core.spans import Span
from billing.domain import rooms
from billing.domain.catalog import PriceBook
from billing.domain.facts import BookingFacts, ChangeFacts
from billing.domain.policies import Policy
from billing.domain.quote import Line, line, lines_from_json
from billing.domain.rating import find_service, service_fen, service_line
from billing.domain.terms import Overtime, Terms
from billing.domain.texts import Bi, local_day, when


def room_fen(lines: Sequence[Line]) -> int:
    """Room price after discounts, without services."""
    return sum(entry.gross_fen for entry in lines if entry.kind in ("room", "discount"))


def cancellation_fen(
    quote: Mapping[str, Any], *, starts_at: datetime, at: datetime, terms: Terms
) -> int:
    """Fee for cancelling at that instant, VAT included."""
    pct = terms.cancellation_pct(starts_at=starts_at, at=at)
    return money.round_half_up(Decimal(room_fen(lines_from_json(dict(quote))) * pct) / 100)


def change_fen(
    quote: Mapping[str, Any], *, was: Span, becomes: Span, at: datetime, terms: Terms
) -> int:
    """Fee for moving at that instant: that of cancelling, for the share of time given up."""
    kept = was.intersect(becomes)
    left = was.length - (kept.length if kept else timedelta(0))
    share = Decimal(int(left.total_seconds())) / int(was.length.total_seconds())
    pct = terms.cancellation_pct(starts_at=was.start, at=at)
    room = room_fen(lines_from_json(dict(quote)))
    return max(0, money.round_half_up(share * room * pct / 100))


def owed(
    facts: BookingFacts, *, names: Bi, tariff: str, book: PriceBook, terms: Terms | None = None
) -> list[tuple[str, Line]]:
    """Every line owed, each with a key that is unique within the booking.

    Args:
        facts: what happened.
        names: the room's.
        tariff: by which overtime is priced.
        book: the prices of what was not quoted.
        terms: those of the booking's quote; None: the book's.
    """
    agreed = terms or book.terms
    quoted = list(lines_from_json(dict(facts.quote)))
    if facts.outcome == "no_show":
        missed = [_no_show(entry, agreed.no_show_pct) for entry in _rooms(quoted)]
        return [(f"no_show/{i}", entry) for i, entry in enumerate(missed) if entry.gross_fen]
    if facts.outcome == "cancelled":
        return _cancelled(facts, quoted, names, agreed)
    lines = [(f"line/{i}", entry) for i, entry in enumerate(quoted)]
    day = local_day(facts.span.start)
    lines += [
        (f"extra/{i}", service_line(wish, book=book, on=day))
        for i, wish in enumerate(facts.services)
    ]
    lines += _overtime(facts, names, tariff, book, agreed.overtime)
    return lines + _energy(facts, book)


def _rooms(lines: Sequence[Line]) -> list[Line]:
    return [entry for entry in lines if entry.kind == "room"]


def _no_show(room: Line, pct: int) -> Line:
    """So much of the list price, whatever was discounted."""
    gross = money.round_half_up(Decimal(room.gross_fen * pct) / 100)
    net, vat = money.split_vat(gross, room.vat_rate)
    return replace(
        room,
        kind="fee",
        description_zh=f"爽约收费{pct}% {room.description_zh}",
        description_en=f"No-show fee {pct} % {room.description_en}",
        gross_fen=gross,
        net_fen=net,
        vat_fen=vat,
    )


def _cancelled(
    facts: BookingFacts, quoted: Sequence[Line], names: Bi, terms: Terms
) -> list[tuple[str, Line]]:
    at = facts.cancelled_at or facts.span.start
    pct = terms.cancellation_pct(starts_at=facts.span.start, at=at)
    fee = money.round_half_up(Decimal(room_fen(quoted) * pct) / 100)
    rooms_quoted = _rooms(quoted)
    if not fee or not rooms_quoted:
        return []
    span = when(facts.span.start, facts.span.end)
    text = Bi(f"取消收费{pct}% {names.zh} {span}", f"Cancellation fee {pct} % {names.en} {span}")
    first = rooms_quoted[0]
    vat = (first.vat_category, first.vat_rate)
    return [
        (
            "cancellation",
            line("fee", text, fee, vat=vat, start=facts.span.start, end=facts.span.end),
        )
    ]


def change_fee(facts: ChangeFacts, *, names: Bi) -> Line:
    """The line for moving late.

    Raises:
        ValueError: the booking had no room price, so there can be no fee.
    """
    first = next(iter(_rooms(lines_from_json(dict(facts.quote)))), None)
    if first is None:
        raise ValueError(f"{facts.booking_code} has no room price")
    was, new = when(facts.span.start, facts.span.end), when(facts.became.start, facts.became.end)
    text = Bi(
        f"改期收费{facts.pct}% {names.zh} {was} → {new}",
        f"Change fee {facts.pct} % {names.en} {was} → {new}",
    )
    vat = (first.vat_category, first.vat_rate)
    return line("fee", text, facts.fee_fen, vat=vat, start=facts.span.start, end=facts.span.end)


def _overtime(
    facts: BookingFacts, names: Bi, tariff: str, book: PriceBook, terms: Overtime
) -> list[tuple[str, Line]]:
    if facts.overtime is None or not tariff or terms.forgives(facts.overtime):
        return []
    found = book.tariff(tariff)
    amount = rooms.overtime_fen(
        facts.overtime, tariff=found, book=book, terms=terms, next_booked=facts.next_booked
    )
    how = _overtime_text(facts.overtime, terms, next_booked=facts.next_booked)
    span = when(facts.overtime.start, facts.overtime.end)
    day = local_day(facts.overtime.start)
    entry = line(
        "overtime",
        Bi(f"超时使用 {names.zh} {span} {how.zh}", f"Overtime {names.en} {span} {how.en}"),
        amount,
        vat=(found.vat_hourly, book.vat(found.vat_hourly, day)),
        start=facts.overtime.start,
        end=facts.overtime.end,
    )
    return [("overtime", entry)]


def _overtime_text(span: Span, terms: Overtime, *, next_booked: bool) -> Bi:
    """How it was priced: the factor, or the started steps at their price."""
    if terms.step_price_fen is None:
        factor = f"×{terms.factor(next_booked=next_booked)}"
        return Bi(factor, factor)
    steps, price = terms.steps(span), money.yuan(terms.step_price_fen)
    return Bi(
        f"{steps}×{terms.step_min}分钟 每次{price}", f"{steps}×{terms.step_min} min at {price}"
    )


def _energy(facts: BookingFacts, book: PriceBook) -> list[tuple[str, Line]]:
    """Energy above what the room price includes."""
    included = (
        facts.included_wh if facts.included_wh is not None else facts.quote.get("included_wh")
    )
    if facts.energy_wh is None or included is None or facts.energy_wh <= included:
        return []
    service, unit_fen = find_service("SV-KWH", book=book)
    excess_wh = facts.energy_wh - included
    day = local_day(facts.span.start)
    kwh = f"{Decimal(excess_wh) / 1000:f}"
    entry = line(
        "energy",
        Bi(f"{service.name_zh} {kwh} kWh", f"{service.name_en} {kwh} kWh"),
        service_fen(service, Decimal(excess_wh) / 1000, unit_fen),
        vat=(service.vat_category, book.vat(service.vat_category, day)),
        start=facts.span.start,
        end=facts.span.end,
        quantity=kwh,
        unit="kWh",
        unit_fen=unit_fen,
    )
    return [("energy", entry)]


def fault_credit(
    *, policy: Policy, room: Sequence[Line], booked_min: int, outage_min: int
) -> Line | None:
    """The credit for an outage: its share of the booking's room price, times the multiplier.

    Args:
        policy: the fault credit policy in force.
        room: room and discount lines of the booking.
        booked_min: booked minutes, > 0.
        outage_min: proven minutes without service.

    Returns:
        A negative line, never beyond the policy's share of the booking; None when too short.
    """
    paid = room_fen(room)
    if outage_min < int(policy.eligibility.get("outage_min_ge", 0)) or paid <= 0:
        return None
    factor = policy.multiplier or Decimal(1)
    share = min(Decimal(outage_min) * factor / booked_min, policy.max_share or Decimal(1))
    first = room[0]
    amount = money.round_half_up(-share * paid)
    return line(
        "credit",
        Bi(
            f"设施故障赔付(红字) {outage_min}分钟×{factor.normalize():f}",
            f"Facility-fault credit, {outage_min} min ×{factor.normalize():f}",
        ),
        amount,
        vat=(first.vat_category, first.vat_rate),
        start=first.start,
        end=room[-1].end or first.end,
        policy=policy.code,
    )


def at_most(credit: Line, left_fen: int) -> Line | None:
    """The credit, cut to what may still be credited; None when that is nothing."""
    if left_fen <= 0:
        return None
    if -credit.gross_fen <= left_fen:
        return credit
    net, vat = money.split_vat(-left_fen, credit.vat_rate)
    return replace(credit, gross_fen=-left_fen, net_fen=net, vat_fen=vat)
