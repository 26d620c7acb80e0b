"""Which services things are lent by: who lends says so here, and price lists price them."""

from collections.abc import Callable, Iterable

Lent = Callable[[], Iterable[str]]
_lenders: list[Lent] = []


def register(lent: Lent) -> None:
    """Ask this, too, for the services that need a price by the hour."""
    _lenders.append(lent)


def services() -> frozenset[str]:
    """The codes of all services that things are lent by."""
    return frozenset(code for lent in _lenders for code in lent() if code)
