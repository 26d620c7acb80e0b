"""The units that a statement asks about, as a table of their own; times go as whole seconds."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from base_ops.core.models import Space
from booking.domain import slots
from booking.selectors.taking import units_of

ASKED = """
unnest(%(spaces)s::bigint[], %(units)s::int[], %(sorts)s::int[]) AS a (space_id, unit, sort)
"""
UNITS = f"""
WITH asked AS MATERIALIZED (
    SELECT space_id, unit, (%(befores)s::bigint[])[sort] * interval '1 s' AS before,
           (%(afters)s::bigint[])[sort] * interval '1 s' AS after
      FROM {ASKED}
)
"""  # noqa: S608 - our own texts
LIVE = "active AND space_id = a.space_id AND unit = a.unit"
NOT_EXPIRED = "(expires_at IS NULL OR expires_at > %(now)s)"


def units_asked(spaces: Iterable[Space]) -> dict[str, str]:
    """The arguments of `UNITS`: one row per unit of the spaces."""
    return columns(((space, ()) for space in spaces), ())


def columns(
    asked: Iterable[tuple[Space, tuple[int | str, ...]]], more: Sequence[str]
) -> dict[str, str]:
    """The arguments of `ASKED`, and an array of each figure by sort of space.

    Spaces of one sort have the same figures: `befores`, `afters`, and those that come with them.
    """
    sorts: dict[tuple[int | str, ...], int] = {}
    ids: list[int] = []
    units: list[int] = []
    numbers: list[int] = []
    for space, added in asked:
        kind = space.type
        around = _around(kind.setup_min, kind.teardown_min, space.buffers_shared)
        number = sorts.setdefault(around + added, len(sorts) + 1)
        for unit in units_of(space):
            ids.append(space.id)
            units.append(unit)
            numbers.append(number)
    names = ("befores", "afters", *more)
    turned: Iterable[Sequence[int | str]] = (
        zip(*sorts, strict=True) if sorts else [()] * len(names)
    )
    figures = {name: _array(column) for name, column in zip(names, turned, strict=True)}
    return figures | {"spaces": _array(ids), "units": _array(units), "sorts": _array(numbers)}


@lru_cache(maxsize=1000)
def _around(setup_min: int, teardown_min: int, shared: bool) -> tuple[int, int]:
    """Seconds that a block takes before and behind a booking."""
    around = slots.Buffers.of_minutes(setup_min, teardown_min, shared=shared)
    return int(around.before.total_seconds()), int(around.after.total_seconds())


def _array(values: Iterable[int | str]) -> str:
    """An array as PostgreSQL reads it: the driver takes ten times longer over each number."""
    return "{" + ",".join(map(str, values)) + "}"
