"""Rating as one writes it with an ORM: each booking asks for what it needs, reckons in Decimal."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE = Decimal(1)


def rate(wishes: Sequence[Any]) -> list[list[tuple[int, int, int]]]:
    """(gross, net, VAT) of the lines of each booking; the lines are unsaved charges."""
    return [[(c.gross_fen, c.net_fen, c.vat_fen) for c in _charges(wish)] for wish in wishes]


def _charges(wish: Any) -> Iterator[Any]:
    from billing.models import SurgeRow, TariffRow, TimeBandRow, VatRateRow

    day = wish.span.start.astimezone(SHANGHAI).date()
    tariff = TariffRow.objects.filter(code=wish.tariff).order_by("-version")[0]
    bands = list(TimeBandRow.objects.all())
    surges = list(SurgeRow.objects.all())
    rates = VatRateRow.objects.filter(category=tariff.vat_hourly, valid_from__lte=day)
    vat = rates.order_by("-valid_from")[0].rate
    start = wish.span.start.astimezone(SHANGHAI)
    end = wish.span.end.astimezone(SHANGHAI)
    while start < end:
        midnight = datetime.combine(start.date(), time(), SHANGHAI)
        minute = start.hour * 60 + start.minute
        band = next(b for b in bands if b.from_min <= minute < b.to_min)
        stop = min(end, midnight + timedelta(minutes=band.to_min))
        yield _charge(wish, tariff, band, surges, vat, start, stop)
        start = stop


def _charge(
    wish: Any, tariff: Any, band: Any, surges: Any, vat: Decimal, start: datetime, stop: datetime
) -> Any:
    from billing.models import Charge

    half_hours = int((stop - start).total_seconds()) // 1800
    session = tariff.session_fen.get(band.code)
    blocks = half_hours // 8 if session is not None else 0
    hours = Decimal(half_hours - 8 * blocks) / 2
    price = hours * tariff.hourly_fen[band.code] + blocks * (session or 0)
    surge = max((s.multiplier for s in surges if _covers(s, start, band)), default=ONE)
    gross = (price * surge).quantize(ONE, ROUND_HALF_UP)
    net = (gross / (1 + vat)).quantize(ONE, ROUND_HALF_UP)
    times = f"{start:%m-%d %H:%M}–{stop:%H:%M}"
    return Charge(
        kind="room",
        service_on=start.date(),
        description_zh=f"{wish.name_zh} {times} {band.name_zh}",
        description_en=f"{wish.name_en} {times} {band.name_en}",
        starts_at=start,
        ends_at=stop,
        band=band.code,
        surge=surge,
        quantity=f"{half_hours / 2:g}h",
        unit="hour",
        unit_fen=tariff.hourly_fen[band.code],
        gross_fen=int(gross),
        net_fen=int(net),
        vat_fen=int(gross - net),
        vat_rate=vat,
        vat_category=tariff.vat_hourly,
    )


def _covers(surge: Any, at: datetime, band: Any) -> bool:
    day = f"{at:%m-%d}"
    if surge.from_md <= surge.to_md:
        inside = surge.from_md <= day <= surge.to_md
    else:
        inside = day >= surge.from_md or day <= surge.to_md
    return inside and band.code in surge.bands
