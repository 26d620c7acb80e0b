"""Handovers: of one booking, and those whose problems nobody settled."""

from django.db.models import Prefetch, Q, QuerySet

from base_ops.core.errors import NotFound
from booking.models import Booking, Handover, HandoverPhoto


class HandoverNotFound(NotFound):
    """The booking has no handover, or no photo of that number."""

    code, title_zh, title_en = "handover_not_found", "没有交接记录", "No such handover"


def handover_of(booking: Booking) -> Handover:
    """The handover with its photos, their pixels left in the database.

    Raises:
        HandoverNotFound: there is none.
    """
    plain = HandoverPhoto.objects.defer("image", "thumbnail")
    rows = Handover.objects.filter(booking=booking).prefetch_related(Prefetch("photos", plain))
    if (found := rows.first()) is None:
        raise HandoverNotFound(booking.code)
    return found


def photo_of(booking: Booking, number: int, *, thumbnail: bool) -> HandoverPhoto:
    """One photo, with the pixels of the size that is wanted.

    Raises:
        HandoverNotFound: there is none.
    """
    rows = HandoverPhoto.objects.filter(handover__booking=booking, number=number)
    found = rows.defer("image" if thumbnail else "thumbnail").first()
    if found is None:
        raise HandoverNotFound(f"{booking.code} photo {number}")
    return found


def open_problems(space_id: int | None = None) -> QuerySet[Handover]:
    """Handovers with a problem that nobody settled, everywhere or in one space."""
    rows = Handover.objects.filter(Q(problem=True) | Q(verdict="problems"), settled_at=None)
    return rows if space_id is None else rows.filter(booking__space=space_id)
