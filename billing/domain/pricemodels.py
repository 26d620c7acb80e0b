"""Price models: what so many units cost, exactly; whoever bills rounds once.

No units cost nothing, whatever a tier's flat price is.
Sources: the price models of Lago's guide, and Kill Bill's tiered blocks (top tier, all tiers).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Final, Protocol

ZERO: Final = Decimal(0)
MOST_TIERS = 50


class Model(Protocol):
    """Any price model."""

    def amount(self, units: Decimal) -> Decimal:
        """The price of so many units, >= 0."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Units above the tier before, up to `up_to` inclusive (None: without end).

    `rate` is a share of the units, for models whose units are money.
    """

    up_to: Decimal | None
    unit: Decimal = ZERO
    flat: Decimal = ZERO
    rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Standard:
    """Each unit at the same price."""

    unit: Decimal

    def amount(self, units: Decimal) -> Decimal:
        """Units times the price."""
        return units * self.unit


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the tier that the quantity reaches."""

    tiers: tuple[Tier, ...]

    def amount(self, units: Decimal) -> Decimal:
        """One tier for everything."""
        if units <= 0:
            return ZERO
        tier = next(t for t in self.tiers if t.up_to is None or units <= t.up_to)
        return tier.flat + units * (tier.unit + tier.rate)


@dataclass(frozen=True, slots=True)
class Graduated:
    """The units in each tier at that tier's price; a tier's flat price once it is reached."""

    tiers: tuple[Tier, ...]

    def amount(self, units: Decimal) -> Decimal:
        """Tier by tier."""
        total, below = ZERO, ZERO
        for tier in self.tiers:
            if units <= below:
                break
            top = units if tier.up_to is None else min(units, tier.up_to)
            total += tier.flat + (top - below) * (tier.unit + tier.rate)
            below = top
        return total


@dataclass(frozen=True, slots=True)
class Package:
    """Whole packages of `size` units after the free ones; a started package counts."""

    price: Decimal
    size: Decimal
    free: Decimal = ZERO

    def amount(self, units: Decimal) -> Decimal:
        """Started packages times the price."""
        return _started(max(units - self.free, ZERO), self.size) * self.price


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share of an amount of money above what is free, and a fixed price."""

    rate: Decimal
    fixed: Decimal = ZERO
    free: Decimal = ZERO

    def amount(self, units: Decimal) -> Decimal:
        """Share and fixed price; nothing as long as all of it is free."""
        over = units - self.free
        return self.fixed + over * self.rate if over > 0 else ZERO


@dataclass(frozen=True, slots=True)
class Block:
    """`most` blocks (None: without end) of `size` units at `price` each."""

    size: Decimal
    price: Decimal
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Started blocks; what is beyond the last tier is billed in the last tier.

    `top_only`: all units in blocks of the tier that is reached; otherwise each tier's own.
    """

    tiers: tuple[Block, ...]
    top_only: bool = False

    def amount(self, units: Decimal) -> Decimal:
        """Started blocks times their prices."""
        left, total = units, ZERO
        for tier in self.tiers:
            last = tier is self.tiers[-1]
            room = None if last or tier.most is None else tier.size * tier.most
            if self.top_only and (room is None or left <= room):
                return _started(units, tier.size) * tier.price
            part = left if room is None else min(left, room)
            total += _started(part, tier.size) * tier.price
            left -= part
        return total


@dataclass(frozen=True, slots=True)
class WithMinimum:
    """Any model, and at least so much."""

    model: Model
    minimum: Decimal

    def true_up(self, used: Decimal) -> Decimal:
        """What is added to an amount so that the minimum is reached."""
        return max(self.minimum - used, ZERO)

    def amount(self, units: Decimal) -> Decimal:
        """The amount with what is lacking."""
        used = self.model.amount(units)
        return used + self.true_up(used)


def _started(units: Decimal, size: Decimal) -> Decimal:
    return (units / size).to_integral_value(ROUND_CEILING)


def read(row: Mapping[str, Any]) -> Model:
    """A model as a price book says it, e.g. {"kind": "graduated", "tiers": [{"up_to": …}]}.

    Raises:
        ValueError: unknown, negative, without end where one is needed, or in no order.
    """
    words = dict(row)
    kind = words.pop("kind", None)
    if not isinstance(kind, str) or kind not in _READERS:
        raise ValueError(f"kind must be one of {', '.join(_READERS)}")
    minimum = words.pop("minimum", None)
    model = _READERS[kind](words)
    return model if minimum is None else WithMinimum(model, amount(minimum, "minimum"))


def amount(value: object, name: str, *, least: Decimal = ZERO) -> Decimal:
    """A finite number from `least` on, written as text or as a whole number.

    Raises:
        ValueError: anything else.
    """
    try:
        found = Decimal(str(value) if type(value) in (str, int) else "NaN")
    except InvalidOperation as exc:
        raise ValueError(f"{name}: not a number") from exc
    if not found.is_finite() or found < least or found.adjusted() > 12:
        raise ValueError(f"{name}: must be from {least} on and below 10^13")
    return found


def _known(words: Mapping[str, Any], *names: str) -> None:
    if unknown := sorted(set(words) - set(names)):
        raise ValueError(f"unknown: {', '.join(unknown)}")


def _standard(words: Mapping[str, Any]) -> Model:
    _known(words, "unit")
    return Standard(amount(words.get("unit"), "unit"))


def _package(words: Mapping[str, Any]) -> Model:
    _known(words, "price", "size", "free")
    size = amount(words.get("size"), "size", least=Decimal("0.001"))
    return Package(amount(words.get("price"), "price"), size, amount(words.get("free", 0), "free"))


def _percentage(words: Mapping[str, Any]) -> Model:
    _known(words, "rate", "fixed", "free")
    return Percentage(
        rate=amount(words.get("rate"), "rate"),
        fixed=amount(words.get("fixed", 0), "fixed"),
        free=amount(words.get("free", 0), "free"),
    )


def _volume(words: Mapping[str, Any]) -> Model:
    return Volume(_tiers(words))


def _graduated(words: Mapping[str, Any]) -> Model:
    return Graduated(_tiers(words))


def _tiers(words: Mapping[str, Any]) -> tuple[Tier, ...]:
    """Tiers whose ends rise, the last one without end."""
    _known(words, "tiers")
    found = tuple(_tier(row) for row in _rows(words))
    ends = [tier.up_to for tier in found]
    if ends[-1] is not None or any(end is None for end in ends[:-1]):
        raise ValueError("tiers: the last one, and only that, has no end (up_to: null)")
    known = [end for end in ends if end is not None]
    if any(b <= a for a, b in zip([ZERO, *known], known, strict=False)):
        raise ValueError("tiers: each must end above the one before")
    return found


def _tier(row: Mapping[str, Any]) -> Tier:
    _known(row, "up_to", "unit", "flat", "rate")
    end = row.get("up_to")
    return Tier(
        up_to=None if end is None else amount(end, "up_to"),
        unit=amount(row.get("unit", 0), "unit"),
        flat=amount(row.get("flat", 0), "flat"),
        rate=amount(row.get("rate", 0), "rate"),
    )


def _blocks(words: Mapping[str, Any]) -> Model:
    _known(words, "tiers", "top_only")
    return Blocks(tuple(_block(row) for row in _rows(words)), words.get("top_only") is True)


def _block(row: Mapping[str, Any]) -> Block:
    _known(row, "size", "price", "most")
    most = row.get("most")
    if most is not None and (type(most) is not int or most < 1):
        raise ValueError("most: a whole number from 1 on")
    size = amount(row.get("size"), "size", least=Decimal("0.001"))
    return Block(size, amount(row.get("price"), "price"), most)


def _rows(words: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = words.get("tiers")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_TIERS:
        raise ValueError(f"tiers: a list of 1 to {MOST_TIERS}")
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("tiers: not objects")
    return rows


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Model]]] = {
    "standard": _standard,
    "volume": _volume,
    "graduated": _graduated,
    "package": _package,
    "percentage": _percentage,
    "blocks": _blocks,
}
