"""How spaces are sold to somebody by the rules in force."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime

from base_ops.core.models import Space, Tenant
from booking.domain.rulebook import ANYBODY, Book, Renter, Sale
from booking.selectors import rulebook as rules


def sales(
    *, spaces: Iterable[Space], renter: Tenant | None = None, now: datetime
) -> Mapping[int, Sale]:
    """How each space is sold, by space id; one query. Without a renter: to anybody.

    Spaces that are sold alike share one sale.

    Raises:
        NoRules: none are in force.
    """
    book = rules.current_book(now=now)
    who = ANYBODY if renter is None else rules.renter(renter)
    kept = book.sales_kept(who)
    found = {}
    for space in spaces:
        kind = space.type
        key = (space.code, kind.code, kind.slot_min, kind.min_min, space.floor_id)
        found[space.id] = kept.get(key) or _read(kept, key, space, book, who)
    return found


def _read(
    kept: dict[Hashable, Sale], key: Hashable, space: Space, book: Book, who: Renter
) -> Sale:
    own = book.sale(rules.place(space, book), who)
    kept[key] = next((known for known in [*kept.values()] if known == own), own)
    return kept[key]
