"""What a price list must have a price for, because it is let or lent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from base_ops.core.errors import FieldFault
from billing.domain.catalog import PriceBook, Tariff

How = Literal["single", "monthly"]
_HOW: Final[Mapping[How, tuple[str, str]]] = {
    "single": ("单次预订", "single bookings"),
    "monthly": ("月租", "a lease by the month"),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """Tariffs by how their spaces are let, with one space of each as an example; services.

    `hourly_services` are lent by the hour.
    """

    tariffs: Mapping[tuple[str, How], str] = field(default_factory=dict)
    hourly_services: frozenset[str] = frozenset()


def lacking(book: PriceBook, needs: Needs) -> Iterator[FieldFault]:
    """What of it the book has no price for."""
    for (code, how), space in sorted(needs.tariffs.items()):
        tariff = book.tariffs.get(code)
        if tariff is None:
            yield FieldFault(
                "tariffs",
                f"缺少资费 {code}：空间 {space} 需要",
                f"tariff {code} is missing: space {space} needs it",
            )
        elif not _lets(tariff, how):
            zh, en = _HOW[how]
            yield FieldFault(
                f"tariffs.{code}",
                f"没有{zh}价格：空间 {space} 需要",
                f"has no price for {en}: space {space} needs it",
            )
    for code in sorted(needs.hourly_services):
        service = book.services.get(code)
        if service is None or service.price_fen is None or service.unit != "hour":
            yield FieldFault(
                "services",
                f"服务 {code} 须有按小时的价格：有设备按它出租",
                f"service {code} needs a price by the hour: equipment is lent by it",
            )
    excess = book.services.get("SV-KWH")
    if _metered(book) and (excess is None or excess.price_fen is None):
        yield FieldFault(
            "services",
            "缺少超额用电 SV-KWH 的价格：有资费含限额电量",
            "SV-KWH, excess electricity, needs a price: tariffs include only so much",
        )


def _lets(tariff: Tariff, how: How) -> bool:
    by_unit = tariff.unit_price_fen is not None
    if how == "single":
        return bool(tariff.hourly_fen) or (by_unit and tariff.unit_period != "month")
    return tariff.monthly_per_m2_fen is not None or (by_unit and tariff.unit_period == "month")


def _metered(book: PriceBook) -> bool:
    return any(t.included_wh_per_hour is not None for t in book.tariffs.values())
