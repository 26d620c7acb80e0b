"""The scarce thing is the time of spaces and equipment: lock their rows, look, insert.

Locks are taken in one order, all before anything is looked at: spaces by id, pools by id, the rows
of bookings, then tenants by id, and budgets last. Whatever changes an allocation holds the lock of
its space or pool; whatever counts what a tenant has holds the lock of the tenant, because a tenant
books in several spaces at once. A deed that judges or reserves for more than one booking locks all
that they may count, before the first of them (`lock_counted`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Sum

from base_ops.core import statements
from base_ops.core.spans import Span
from base_ops.core.statements import Answer
from billing import services as billing
from billing.domain.facts import booking_source
from booking.models import Allocation, Booking, EquipmentPool

_LOCK_SPACES = "SELECT id FROM core_space WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_LOCK_TENANTS = "SELECT id FROM core_tenant WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_LOCK_SITES = "SELECT id FROM core_site ORDER BY id FOR NO KEY UPDATE"
_INSERT = (
    "INSERT INTO booking_allocation"
    " (space_id, pool_id, unit, block, kind, booking_id, note, active, expires_at)"
    " VALUES {values} ON CONFLICT DO NOTHING RETURNING id"
)
_ROW = "(%s, %s, %s, tstzrange(%s, %s, '[)'), 'booking', %s, '', true, %s)"
_ROW_OF_NEW = _ROW.replace("'booking', %s", "'booking', (SELECT id FROM new)")
_DROP = """
UPDATE booking_allocation SET active = false
 WHERE active AND expires_at <= %s AND (space_id = ANY(%s) OR pool_id = ANY(%s))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One resource for one block: a unit of a space, or of a pool."""

    space_id: int | None
    pool_id: int | None
    unit: int
    block: Span


def lock_spaces(space_ids: Collection[int]) -> None:
    """Lock the rows in id order, so that two callers can never wait on each other.

    The exclusion constraint alone would be as safe, but rivals that insert at once deadlock in
    its index. Inserts that only refer to a space (foreign keys) are not held up.
    """
    ask_spaces(space_ids)
    statements.flush()


def ask_spaces(space_ids: Collection[int]) -> None:
    """Lock the rows before whatever is asked next; until that is answered they may be free."""
    statements.ask(_LOCK_SPACES, [list(space_ids)])


def lock_pools(pool_ids: Collection[int]) -> list[EquipmentPool]:
    """Lock equipment pools in id order, after all spaces."""
    if not pool_ids:
        return []
    rows = EquipmentPool.objects.select_for_update(no_key=True).filter(pk__in=pool_ids)
    return list(rows.order_by("id"))


def lock_tenants(tenant_ids: Collection[int], *, everybody: bool = False) -> None:
    """Let one at a time count what these tenants have, or (after them) what everybody has.

    Outside of a transaction, where somebody only looks, nothing is locked.
    """
    ask_tenants(tenant_ids)
    if everybody:
        ask_sites()
    statements.flush()


def ask_tenants(tenant_ids: Collection[int]) -> None:
    """As `lock_tenants`, before whatever is asked next."""
    if connection.in_atomic_block:
        statements.ask(_LOCK_TENANTS, [list(tenant_ids)])


def ask_sites() -> None:
    """Let one at a time count what everybody has, before whatever is asked next."""
    if connection.in_atomic_block:
        statements.ask(_LOCK_SITES)


def lock_counted(tenant_ids: Collection[int]) -> None:
    """Lock whatever rules and policies count for these tenants: for deeds on several bookings.

    One after the other would lock the second one's tenant after the first one's budgets.
    """
    lock_tenants(tenant_ids, everybody=True)
    billing.lock_budgets()


def resources_of(booking: Booking) -> tuple[set[int], set[int]]:
    """The ids of the spaces and of the pools that a booking takes."""
    parts: list[tuple[int | None, int | None]] = []
    if booking.part_count:
        parts = list(booking.parts.values_list("space_id", "pool_id"))
    spaces = {booking.space_id, *(space for space, _ in parts if space)}
    return spaces, {pool for _, pool in parts if pool}


def lock_resources_of(
    booking: Booking, also_spaces: Collection[int] = ()
) -> tuple[set[int], set[int]]:
    """Lock everything that a booking takes, and other spaces that it may move to; their ids."""
    spaces, pools = resources_of(booking)
    spaces |= set(also_spaces)
    lock_spaces(spaces)
    lock_pools(pools)
    return spaces, pools


def drop_expired(space_ids: Collection[int], pool_ids: Collection[int], *, now: datetime) -> int:
    """Give back what holds whose time is over still take of these locked resources.

    Reading never counts them; this lets the constraint forget them too. Their bookings are tidied
    up by a job.
    """
    return statements.change(_DROP, [now, list(space_ids), list(pool_ids)])


def keep(booking: Booking) -> bool:
    """Take for good what a locked booking held; False when some of it was given to others.

    That happens when the hold's time was over for a rival who came first, though not for us yet:
    each reads the clock before waiting for the lock.
    """
    kept = Allocation.objects.filter(booking=booking, active=True).update(expires_at=None)
    beside = booking.parts.aggregate(n=Sum("quantity"))["n"] if booking.part_count else 0
    return kept == booking.units + (beside or 0)


def source_of(booking: Booking) -> str:
    """What billing calls this booking."""
    return booking_source(booking.code)


def free(booking: Booking) -> None:
    """Give the booking's resources back."""
    Allocation.objects.filter(booking=booking, active=True).update(active=False)


def allocate(booking: Booking, places: Sequence[Place]) -> bool:
    """Take the places; False when the constraint let fewer through than asked.

    On False the caller must roll back, or drop what was inserted: some rows may have been.
    """
    return insert((place, booking.pk, booking.expires_at) for place in places) == len(places)


def insert(rows: Iterable[tuple[Place, int, datetime | None]]) -> int:
    """Insert (place, booking id, end of the hold) each; returns how many got through."""
    given = list(rows)
    if not given:
        return 0
    return statements.change(
        insertion(len(given)), list(chain.from_iterable(map(_columns, given)))
    )


def ask_with(
    booking_insert: str, params: list[Any], booking: Booking, places: Sequence[Place]
) -> Answer:
    """Write a booking and take its places in one statement; gives its id for each taken one."""
    for place in places:
        params += (
            place.space_id, place.pool_id, place.unit, place.block.start, place.block.end,
            booking.expires_at,
        )  # fmt: skip
    return statements.ask(_with(booking_insert, len(places)), params)


@cache
def _with(booking_insert: str, count: int) -> str:
    values = ", ".join([_ROW_OF_NEW] * count)
    insert = _INSERT.format(values=values).replace("RETURNING id", "RETURNING booking_id")
    return f"WITH new AS ({booking_insert} RETURNING id) {insert}"


@cache
def insertion(count: int) -> str:
    """The statement that inserts so many."""
    return _INSERT.format(values=", ".join([_ROW] * count))


def _columns(row: tuple[Place, int, datetime | None]) -> tuple[Any, ...]:
    place, booking_id, expires_at = row
    block = place.block
    return (
        place.space_id, place.pool_id, place.unit, block.start, block.end, booking_id, expires_at
    )  # fmt: skip
