"""Which spaces a search is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from base_ops.core.models import Space

SEARCH = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a space must be like; empty means any."""

    type_code: str | None = None
    group: str | None = None
    floor: str | None = None
    capacity: int = 0
    features: Sequence[str] = ()
    units: int = 1
    codes: Sequence[str] = ()


def bookable_spaces(wanted: Wanted | None = None) -> list[Space]:
    """Spaces that can be booked by time and have all that is wanted."""
    rows = Space.objects.select_related("type", "floor").filter(bookable=True)
    return list(rows.filter(_conditions(wanted))) if wanted else list(rows)


def _conditions(wanted: Wanted) -> Q:
    named = {
        "type__code": wanted.type_code,
        "type__group": wanted.group,
        "floor__code": wanted.floor,
        "code__in": wanted.codes,
    }
    found = Q(**{name: value for name, value in named.items() if value})
    found &= Q(capacity__gte=wanted.capacity)
    if wanted.features:
        found &= Q(features__contains=list(wanted.features))
    if wanted.units > 1:
        found &= Q(unit_count__gte=wanted.units)
    return found
