"""Rate one wish for a room: list price, services, discounts, verdicts. Pure; same in, same out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from base_ops.core import money
from base_ops.core.spans import Span
from billing.domain import ceilings, discounts, rooms
from billing.domain.catalog import NotPriced, PriceBook, Service, Tariff
from billing.domain.ceilings import Capped
from billing.domain.eligibility import Refusal
from billing.domain.policies import Policy
from billing.domain.quote import Line, Quote, Verdict, line
from billing.domain.situation import Situation
from billing.domain.texts import UNITS, Bi, local_day, percent_text, when

_PLAIN = Bi("", "")


@dataclass(frozen=True, slots=True)
class ServiceWish:
    """So much of one service."""

    code: str
    qty: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class RoomWish:
    """A room for a span; `tariff` empty means that the room is free of charge.

    `extras` are rooms taken beside it, at list price: policies judge the main room only.
    """

    name_zh: str
    name_en: str
    space_type: str
    tariff: str
    span: Span
    services: tuple[ServiceWish, ...] = ()
    units: int = 1
    extras: "tuple[RoomWish, ...]" = ()


def rate(wish: RoomWish, *, book: PriceBook, situation: Situation) -> Quote:
    """Price a wish completely.

    Raises:
        NotPriced: the price book lacks a tariff, a band, a service or a VAT rate.
    """
    day = local_day(wish.span.start)
    policies = book.policies_on(day)
    services = (
        *(entry for extra in wish.extras for entry in _list_lines(extra, book)),
        *(service_line(s, book=book, on=day) for s in _by_code(wish.services)),
    )
    if not wish.tariff:
        return Quote(services, (), book.version, day.isoformat())
    tariff = book.tariff(wish.tariff)
    if not tariff.hourly_fen:
        return Quote(
            (_unit_line(wish, tariff, book), *services), (), book.version, day.isoformat()
        )
    pieces = _pieces(wish, tariff, book)
    gate = _gate(policies, situation.rating)
    stacked = discounts.stack(pieces, () if gate else policies, situation)
    capped = ceilings.apply(stacked.taken, [p for p in policies if p.kind == "ceiling"], pieces)
    vat = (tariff.vat_hourly, book.vat(tariff.vat_hourly, day))
    half_hours = sum(p.half_hours for p in pieces)
    return Quote(
        lines=(
            *(room_line(p, wish, vat) for p in pieces),
            *(
                line(
                    "discount",
                    e.label,
                    -e.amount_fen,
                    vat=vat,
                    policy=e.policy.code,
                    payer=e.payer,
                )
                for e in capped.entries
            ),
            *services,
        ),
        policies=_verdicts(capped, stacked.refused, gate, policies, situation.rating),
        tariff_version=book.version,
        day=day.isoformat(),
        half_hours=half_hours,
        included_wh=_included_wh(tariff, half_hours),
        suspended=gate is not None
        and (gate.gate or {}).get(situation.rating) == "booking_suspended",
    )


def _pieces(wish: RoomWish, tariff: Tariff, book: PriceBook) -> list[rooms.Piece]:
    """The room time; where a seat has its price by the hour, for each seat."""
    found = rooms.pieces(wish.span, tariff=tariff, book=book)
    by_seat = tariff.unit_period == "hour" and wish.units > 1
    return [piece.times(wish.units) for piece in found] if by_seat else found


def _list_lines(wish: RoomWish, book: PriceBook) -> list[Line]:
    """A room taken beside the main one, at list price."""
    if not wish.tariff:
        return []
    tariff = book.tariff(wish.tariff)
    if not tariff.hourly_fen:
        return [_unit_line(wish, tariff, book)]
    vat = (tariff.vat_hourly, book.vat(tariff.vat_hourly, local_day(wish.span.start)))
    return [room_line(piece, wish, vat) for piece in _pieces(wish, tariff, book)]


def _by_code(wishes: Sequence[ServiceWish]) -> list[ServiceWish]:
    return sorted(wishes, key=lambda w: (w.code, w.qty))


def _included_wh(tariff: Tariff, half_hours: int) -> int | None:
    """Energy that the room price covers; None means all of it."""
    if tariff.included_wh_per_hour is None:
        return None
    return tariff.included_wh_per_hour * half_hours // 2


def room_line(
    piece: rooms.Piece, wish: RoomWish, vat: tuple[str, Decimal], prefix: Bi | None = None
) -> Line:
    """The line of one piece at list price."""
    span, band = piece.span, piece.band
    more = piece.note or _surge_text(piece.surge)
    at, before = when(span.start, span.end), prefix or Bi("", "")
    text = Bi(
        f"{before.zh}{wish.name_zh} {at} {band.name_zh}{more.zh}",
        f"{before.en}{wish.name_en} {at} {band.name_en}{more.en}",
    )
    return line(
        "room",
        text,
        piece.list_fen,
        vat=vat,
        start=span.start,
        end=span.end,
        band=band.code,
        surge=piece.multiplier,
        quantity=piece.quantity,
        unit="hour",
        unit_fen=piece.hourly_fen,
        price_text=piece.prices,
        half_hours=piece.half_hours,
    )


def _surge_text(surge: Decimal) -> Bi:
    return Bi(f" 大促×{surge}", f" surge ×{surge}") if surge > 1 else _PLAIN


def _unit_line(wish: RoomWish, tariff: Tariff, book: PriceBook) -> Line:
    """A room that is paid by the piece, not by the hour."""
    if tariff.unit_price_fen is None or tariff.unit_period == "month":
        raise NotPriced(f"{tariff.code} has no price for single bookings")
    unit = UNITS.get(tariff.unit, (tariff.unit, tariff.unit))
    text = Bi(f"{wish.name_zh} {wish.units}{unit[0]}", f"{wish.name_en}, {wish.units} {unit[1]}")
    day = local_day(wish.span.start)
    return line(
        "room",
        text,
        tariff.unit_price_fen * wish.units,
        vat=(tariff.vat_hourly, book.vat(tariff.vat_hourly, day)),
        start=wish.span.start,
        end=wish.span.end,
        quantity=str(wish.units),
        unit=tariff.unit,
        unit_fen=tariff.unit_price_fen,
    )


def find_service(code: str, *, book: PriceBook) -> tuple[Service, int]:
    """The service and its unit price in fen.

    Raises:
        NotPriced: unknown, or priced only by agreement.
    """
    service = book.services.get(code)
    if service is None or service.price_fen is None:
        raise NotPriced(f"no listed price for service {code!r}")
    return service, service.price_fen


def service_line(wish: ServiceWish, *, book: PriceBook, on: date) -> Line:
    """The line of one service.

    Raises:
        NotPriced: the service has no listed price, or the quantity is not positive.
    """
    service, unit_fen = find_service(wish.code, book=book)
    if not wish.qty.is_finite() or wish.qty <= 0:
        raise NotPriced(f"{wish.code}: quantity {wish.qty}")
    unit = UNITS.get(service.unit, (service.unit, service.unit))
    qty = f"{wish.qty.normalize():f}"
    return line(
        "service",
        Bi(f"{service.name_zh}服务 {qty}{unit[0]}", f"{service.name_en}, {qty} {unit[1]}"),
        service_fen(service, wish.qty, unit_fen),
        vat=(service.vat_category, book.vat(service.vat_category, on)),
        quantity=qty,
        unit=service.unit,
        unit_fen=unit_fen if service.model is None else None,
    )


def service_fen(service: Service, qty: Decimal, unit_fen: int) -> int:
    """What the quantity costs, rounded once."""
    if service.model is None:
        return money.round_half_up(qty * unit_fen)
    return money.round_half_up(service.model.amount(qty) * 100)


def _gate(policies: Sequence[Policy], rating: str) -> Policy | None:
    """The gate that shuts for this rating."""
    return next((p for p in policies if p.kind == "gate" and rating in (p.gate or {})), None)


def _verdicts(
    capped: Capped,
    refused: Sequence[tuple[Policy, Refusal]],
    gate: Policy | None,
    policies: Sequence[Policy],
    rating: str,
) -> tuple[Verdict, ...]:
    """One verdict per discount policy, plus gates and ceilings that acted; in order of effect."""
    if gate:
        refused = [(p, _shut(gate, rating)) for p in policies if p.kind in discounts.DISCOUNTS]
    found = [_given(taken) for taken in capped.final]
    found += [_denied(policy, why) for policy, why in refused]
    found += [_acted(policy) for policy in capped.biting]
    found += [_denied(gate, _shut(gate, rating), verdict_applied=True)] if gate else []
    order = {p.code: (p.order, p.code) for p in policies}
    return tuple(sorted(found, key=lambda v: (v.verdict == "refused", order[v.code])))


@lru_cache(maxsize=1024)
def _shut(gate: Policy, rating: str) -> Refusal:
    if (gate.gate or {}).get(rating) == "booking_suspended":
        reason = Bi(f"合规评级{rating}级：暂停预订", f"rated {rating}: bookings are suspended")
    else:
        reason = Bi(
            f"合规评级{rating}级：不享受优惠", f"rated {rating}: no discounts, prepaid only"
        )
    return Refusal(reason, Bi("合规评级恢复到B级", "regain rating B"))


def _given(taken: discounts.Taken) -> Verdict:
    policy, why = taken.policy, taken.capped
    return Verdict(
        **_named(policy),
        verdict="capped" if why else "applied",
        amount_fen=taken.total_fen,
        reason_zh=why.zh if why else f"已优惠：{taken.label.zh}",
        reason_en=why.en if why else f"applied: {taken.label.en}",
        half_hours=taken.half_hours,
        budgeted=policy.budget_year_fen is not None,
    )


def _acted(ceiling: Policy) -> Verdict:
    pct = percent_text(ceiling.ceiling_bp or 0)
    return Verdict(
        **_named(ceiling),
        verdict="applied",
        amount_fen=0,
        reason_zh=f"优惠合计以{pct}%为上限",
        reason_en=f"discounts together are limited to {pct} %",
    )


@lru_cache(maxsize=4096)
def _denied(policy: Policy, why: Refusal, *, verdict_applied: bool = False) -> Verdict:
    """The same policy is denied for the same reason to many."""
    return Verdict(
        **_named(policy),
        verdict="applied" if verdict_applied else "refused",
        amount_fen=0,
        reason_zh=why.reason.zh,
        reason_en=why.reason.en,
        unlock_zh=why.unlock.zh if why.unlock else None,
        unlock_en=why.unlock.en if why.unlock else None,
    )


def _named(policy: Policy) -> dict[str, Any]:
    return {
        "code": policy.code,
        "version": policy.version,
        "name_zh": policy.name_zh,
        "name_en": policy.name_en,
        "funding": policy.funding,
    }
