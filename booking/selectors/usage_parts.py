"""Questions about bookings that take spaces beside their room, each part at a time of its own.

Such a booking counts while any of the meant spaces is taken by it: once for its renter, however
many there are, and each by itself for the venue. They are few: the other questions leave them out,
so that nobody else pays for looking at parts.
"""

APART = "b.part_count > 0"
ALONE = "b.part_count = 0"

# A part lies within a day of its booking, and no booking is longer than 31.
WHEN = (
    "b.starts_at < q.hi + interval '1 day' AND b.ends_at > q.lo - interval '1 day'"
    " AND b.starts_at > q.lo - interval '32 days'"
)
_TAKEN = (
    "(SELECT b.space_id, tstzrange(b.starts_at, b.ends_at) UNION ALL"
    " SELECT p.space_id, tstzrange(p.starts_at, p.ends_at) FROM booking_bookingpart p"
    " WHERE p.booking_id = b.id AND p.space_id IS NOT NULL) AS own (id, span)"
)
_PIECES = (
    "SELECT lower(r) AS lo, upper(r) AS hi, max(upper(r)) OVER () AS last FROM ({ranges}) AS u"
)


def pieces(meant: str, *, each: bool) -> str:
    """The times at which a booking takes what is meant.

    Args:
        meant: joins and conditions for `own`, the spaces of one booking.
        each: every space by itself.
    """
    by = " GROUP BY own.id" if each else ""
    ranges = f"SELECT unnest(range_agg(own.span)) AS r FROM {_TAKEN}{meant}{by}"  # noqa: S608
    return f"CROSS JOIN LATERAL ({_PIECES.format(ranges=ranges)}) AS piece"
