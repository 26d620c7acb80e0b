"""Series as they are stored, and what takes the many blocks of one: in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from base_ops.core.errors import NotFound
from base_ops.core.spans import Span
from booking.domain.states import GIVEN_BACK
from booking.models import Booking, Series
from booking.selectors.taking import Taken


class SeriesNotFound(NotFound):
    """No such series, or not one of the caller's."""

    code, title_zh, title_en = "series_not_found", "找不到该系列", "No such series"


@dataclass(frozen=True, slots=True)
class Sought:
    """One block of one space, or of one equipment pool."""

    space_id: int | None
    pool_id: int | None
    block: Span


# Each block is looked up by the index of the exclusion constraint; rows come back numbered.
_TAKEN = """
SELECT w.n, a.unit, lower(a.block), upper(a.block), a.kind, b.code,
       coalesce(b.tenant_id, l.tenant_id)
  FROM unnest(%(ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
       WITH ORDINALITY AS w(id, s, e, n)
  JOIN booking_allocation a
    ON a.{column} = w.id AND a.active AND a.block && tstzrange(w.s, w.e)
   AND (a.expires_at IS NULL OR a.expires_at > %(now)s)
  LEFT JOIN booking_booking b ON b.id = a.booking_id
  LEFT JOIN booking_lease l ON l.id = a.lease_id
"""


def taken_in(sought: Sequence[Sought], *, now: datetime) -> list[list[Taken]]:
    """What takes each of the blocks, in their order.

    One query for all blocks of spaces, and one for those of equipment pools if there are any.
    """
    found: list[list[Taken]] = [[] for _ in sought]
    for column in ("space_id", "pool_id"):
        places = [i for i, s in enumerate(sought) if getattr(s, column) is not None]
        if not places:
            continue
        ids = [getattr(sought[i], column) for i in places]
        arguments: dict[str, Any] = {
            "ids": ids,
            "starts": [sought[i].block.start for i in places],
            "ends": [sought[i].block.end for i in places],
            "now": now,
        }
        with connection.cursor() as cursor:
            cursor.execute(_TAKEN.format(column=column), arguments)
            for n, unit, start, end, kind, code, tenant_id in cursor.fetchall():
                taken = Taken(ids[n - 1], unit, Span(start, end), kind, code, tenant_id)
                found[places[n - 1]].append(taken)
    return found


def series_of(tenant_id: int | None) -> QuerySet[Series]:
    """The series a caller may see, with the number of live bookings of each."""
    live = Count("bookings", filter=~Q(bookings__status__in=GIVEN_BACK))
    rows = Series.objects.select_related("space__type", "tenant", "split_from")
    rows = rows.annotate(booked=live)
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def series_for(*, code: str, tenant_id: int | None) -> Series:
    """One series.

    Raises:
        SeriesNotFound: there is none, or it is somebody else's; the answers do not differ.
    """
    found = series_of(tenant_id).filter(code=code).first()
    if found is None:
        raise SeriesNotFound(f"no series {code}")
    return found


def instances_of(series: Series) -> QuerySet[Booking]:
    """The live bookings of a series, in the order of their original starts."""
    rows = Booking.objects.filter(series=series).exclude(status__in=GIVEN_BACK)
    rows = rows.select_related("space__type", "space__floor", "tenant")
    return rows.order_by("recurrence_id")
