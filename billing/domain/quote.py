"""What a price consists of: lines, the verdict of each policy, totals. Frozen, and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec

from base_ops.core import money
from billing.domain.texts import Bi, hours_text

Kind = Literal[
    "room", "discount", "service", "lease", "fee", "overtime", "energy", "credit", "late_fee"
]


@dataclass(frozen=True, slots=True)
class Line:
    """One priced line. `gross = net + vat` always; a discount is negative."""

    kind: Kind
    description_zh: str
    description_en: str
    gross_fen: int
    net_fen: int
    vat_fen: int
    vat_rate: Decimal
    vat_category: str
    start: datetime | None = None
    end: datetime | None = None
    band: str = ""
    surge: Decimal = Decimal(1)
    quantity: str = ""
    unit: str = ""
    unit_fen: int | None = None
    price_text: str = ""
    half_hours: int | None = None
    policy: str = ""
    payer: str = "tenant"
    """Of a discount: who bears what the tenant need not pay; base or district."""

    def as_json(self) -> dict[str, Any]:
        """The line as the API and the frozen quote carry it."""
        data = {name: getattr(self, name) for name in _LINE}
        start, end = data.pop("start"), data.pop("end")
        half_hours = data.pop("half_hours")
        return data | {
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
            "hours": hours_text(half_hours) if half_hours is not None else None,
            "vat_rate": str(self.vat_rate),
            "surge": str(self.surge),
        }


def line(kind: Kind, text: Bi, gross_fen: int, *, vat: tuple[str, Decimal], **rest: Any) -> Line:
    """A line with its VAT split; `vat` is (category, rate)."""
    net, tax = money.split_vat(gross_fen, vat[1])
    return Line(
        kind=kind,
        description_zh=text.zh,
        description_en=text.en,
        gross_fen=gross_fen,
        net_fen=net,
        vat_fen=tax,
        vat_rate=vat[1],
        vat_category=vat[0],
        **rest,
    )


def line_from_json(data: dict[str, Any]) -> Line:
    """The line that `Line.as_json` wrote."""
    hours = data["hours"]
    plain = {k: v for k, v in data.items() if k not in ("from", "to", "hours")}
    return Line(
        **plain
        | {
            "vat_rate": Decimal(data["vat_rate"]),
            "surge": Decimal(data["surge"]),
            "start": datetime.fromisoformat(data["from"]) if data["from"] else None,
            "end": datetime.fromisoformat(data["to"]) if data["to"] else None,
            "half_hours": int(Decimal(hours) * 2) if hours is not None else None,
        }
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one policy, and why."""

    code: str
    version: int
    name_zh: str
    name_en: str
    verdict: Literal["applied", "refused", "capped"]
    amount_fen: int
    reason_zh: str
    reason_en: str
    funding: str
    unlock_zh: str | None = None
    unlock_en: str | None = None
    half_hours: int = 0
    budgeted: bool = False

    def as_json(self) -> dict[str, Any]:
        """The verdict as the API and the frozen quote carry it."""
        return {name: getattr(self, name) for name in _VERDICT}


_LINE = tuple(field.name for field in fields(Line))
_VERDICT = tuple(field.name for field in fields(Verdict))


@dataclass(frozen=True, slots=True)
class Quote:
    """A complete price. `half_hours` is the room time that counts as monthly use."""

    lines: tuple[Line, ...]
    policies: tuple[Verdict, ...]
    tariff_version: str
    day: str
    half_hours: int = 0
    included_wh: int | None = None
    suspended: bool = False
    currency: str = "CNY"

    @property
    def total_fen(self) -> int:
        """What is to be paid, VAT included."""
        return sum(entry.gross_fen for entry in self.lines)

    @property
    def net_fen(self) -> int:
        """Sum of the lines without VAT."""
        return sum(entry.net_fen for entry in self.lines)

    @property
    def vat_fen(self) -> int:
        """Sum of the lines' VAT."""
        return sum(entry.vat_fen for entry in self.lines)

    @property
    def list_fen(self) -> int:
        """The price before any discount."""
        return sum(entry.gross_fen for entry in self.lines if entry.kind != "discount")

    @property
    def discount_fen(self) -> int:
        """What policies take off, >= 0."""
        return self.list_fen - self.total_fen

    def as_json(self) -> dict[str, Any]:
        """The quote as the API shows it and as a booking freezes it."""
        return self._with([verdict.as_json() for verdict in self.policies])

    def encoded(self) -> bytes:
        """The text of `as_json`; verdicts that were given before are not encoded again."""
        return msgspec.json.encode(self._with([_encoded(v) for v in self.policies]))

    def _with(self, policies: list[Any]) -> dict[str, Any]:
        return {
            "lines": [entry.as_json() for entry in self.lines],
            "policies": policies,
            "total_fen": self.total_fen,
            "net_fen": self.net_fen,
            "vat_fen": self.vat_fen,
            "list_fen": self.list_fen,
            "discount_fen": self.discount_fen,
            "currency": self.currency,
            "tariff_version": self.tariff_version,
            "day": self.day,
            "hours": hours_text(self.half_hours),
            "included_wh": self.included_wh,
            "suspended": self.suspended,
        }


@lru_cache(maxsize=4096)
def _encoded(verdict: Verdict) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(verdict.as_json()))


def lines_from_json(data: dict[str, Any]) -> Sequence[Line]:
    """The lines of a frozen quote."""
    return [line_from_json(entry) for entry in data.get("lines", ())]


def given(quote: Quote) -> list[Verdict]:
    """The policies that take something off: what a reservation claims."""
    return [v for v in quote.policies if v.verdict != "refused" and v.amount_fen > 0]
