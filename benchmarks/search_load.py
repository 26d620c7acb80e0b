"""Sixty spaces, fifty tenants and as many bookings as wanted, loaded in set-based statements."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from base_ops.core.models import Space

SPACES = 60
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
_SQUARE = [[0, 0], [5, 0], [5, 4], [0, 4]]

# One after another in each space: 30 to 240 minutes long, 0 to 120 minutes apart.
_LAY = """
CREATE TABLE bare AS
SELECT row_number() OVER (ORDER BY starts) AS id, space, starts, starts + length AS ends,
       NULL::timestamptz AS expires_at FROM (
    SELECT space, length, timestamptz '2021-01-01 00:00Z' - length
           + sum(length + gap) OVER (PARTITION BY space ORDER BY n) AS starts
      FROM (SELECT n, space,
                   make_interval(mins => 30 * (1 + abs(hashint8(n * 61 + space)) %% 8)) AS length,
                   make_interval(mins => 15 * (abs(hashint8(n * 67 + space)) %% 9)) AS gap
              FROM generate_series(1, %(each)s) AS n, unnest(%(spaces)s::bigint[]) AS space) drawn
     ) laid
"""
_INDEX = "CREATE INDEX bare_by_start ON bare (space, starts) INCLUDE (ends, expires_at)"
_GIST = "CREATE INDEX bare_by_range ON bare USING gist (space, tstzrange(starts, ends))"
_ALLOCATE = """
INSERT INTO booking_allocation (space_id, unit, block, kind, booking_id, note, active)
SELECT space, 0, tstzrange(starts, ends), 'booking', id, '', true FROM bare ORDER BY starts
"""


def load(bookings: int) -> "list[Space]":
    """The spaces, after everything is loaded and analysed."""
    from django.db import connection

    spaces = _spaces()
    arguments: dict[str, Any] = {
        "each": bookings // SPACES,
        "spaces": [space.pk for space in spaces],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no foreign keys
        cursor.execute("ALTER TABLE booking_allocation DROP CONSTRAINT allocation_no_overlap")
        cursor.execute(_LAY, arguments)
        cursor.execute(_INDEX)
        cursor.execute(_GIST)
        cursor.execute(_ALLOCATE)
        _book(cursor)
        for table in ("bare", "booking_allocation", "booking_booking"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return spaces


def _spaces() -> "list[Space]":
    from base_ops.core.models import Floor, Site, Space, SpaceType, Tenant

    site = Site.objects.create(code="B", timezone="Asia/Shanghai", area_m2=Decimal(2600))
    floor = Floor.objects.create(site=site, code="B1", level=1, area_m2=1300, outline=_SQUARE)
    kinds = [
        SpaceType.objects.create(code=f"kind-{n}", group="studio", setup_min=15, teardown_min=15)
        for n in range(4)
    ]
    Space.objects.bulk_create(
        Space(
            floor=floor, type=kinds[n % 4], code=f"B{n:02d}", area_m2=20, polygon=_SQUARE,
            label_xy=[2, 2], capacity=4, booking_mode="hourly", bookable=True,
        )
        for n in range(SPACES)
    )  # fmt: skip
    Tenant.objects.bulk_create(
        Tenant(code=f"B{n:02d}", category=f"category-{n % 6}", joined_on=date(2020, 1, 1))
        for n in range(50)
    )
    _bands()
    return list(Space.objects.select_related("type", "floor"))


def _bands() -> None:
    """A price book that has time bands and nothing else."""
    from billing.models import PriceBookVersion, TimeBandRow

    TimeBandRow.objects.bulk_create(
        TimeBandRow(code=code, name_zh=code, name_en=code, from_min=since, to_min=until)
        for code, since, until in (
            ("off_peak", 0, 540), ("standard", 540, 1140), ("prime", 1140, 1440),
        )
    )  # fmt: skip
    PriceBookVersion.objects.create(id=1, fingerprint="bench", loaded_at=FIRST)


def _book(cursor: Any) -> None:
    """A booking for each block, and cancelled ones beside: one for every twelve."""
    from booking.models import Booking

    made: dict[str, str] = {
        "code": "'B' || {id}",
        "tenant_id": "(SELECT min(id) FROM core_tenant) + abs(hashint8({id} * 71)) %% 50",
        "space_id": "space",
        "starts_at": "starts",
        "ends_at": "ends",
        "status": "{status}",
        "purpose": "'live_sales'",
        "headcount": "2",
        "pin": "'000000'",
        "created_at": "starts - make_interval(hours => abs(hashint8({id} * 73)) %% 500)",
        "confirmed_at": "starts - interval '1 hour'",
        "checked_in_at": "CASE WHEN {status} = 'completed' THEN starts END",
        "ended_at": "CASE WHEN {status} = 'completed' THEN ends END",
    }
    status = "CASE WHEN id %% 16 = 0 THEN 'no_show' ELSE 'completed' END"
    others = {
        str(f.column): _literal(f) for f in Booking._meta.concrete_fields  # noqa: SLF001
        if f.column not in made and not f.null and f.column != "id"
    }  # fmt: skip
    columns = {"id": "{id}"} | made | others
    for number, state, where in (
        ("id", status, ""),
        ("(id + 1000000000)", "'cancelled'", "WHERE id %% 12 = 0"),
    ):
        values = ", ".join(columns.values()).replace("{id}", number).replace("{status}", state)
        cursor.execute(
            f"INSERT INTO booking_booking ({', '.join(columns)})"  # noqa: S608 - our own names
            f" SELECT {values} FROM bare {where} ORDER BY starts",
            {},
        )


def _literal(field: Any) -> str:
    """A field's default as SQL."""
    value = field.get_default()
    if isinstance(value, list | dict):
        return "'[]'::jsonb" if isinstance(value, list) else "'{{}}'::jsonb".replace("{{}}", "{}")
    return f"'{value}'" if isinstance(value, str) else str(value)
