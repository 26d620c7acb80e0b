"""What answers have told so far, by the name of the field and by the list it came from.

New resources need no word here: whatever a list or a creation answers becomes a value for the
paths below it, and for every field of that name.
"""

import json
import random
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from tests.api.world import MARK

IDENTIFIERS = ("code", "id", "number", "key", "slug", "date", "day", "name")
KEPT = 40
DEEPEST, ROWS, FIELDS = 5, 8, 60  # how far an answer is read
_PARAMETER = re.compile(r"\{(\w+)\}")
# A field that takes what another one gave.
ALIASES = {"quote_token": "quotes.token", "cursor": "next", "booking_code": "booking"}
# Fields that name something out of a list.
LISTS = {
    "space": "spaces",
    "spaces": "spaces",
    "tenant": "tenants",
    "booking": "bookings",
    "bookings": "bookings",
    "other": "bookings",
    "with": "bookings",
    "device": "devices",
    "type": "space-types",
    "space_type": "space-types",
    "floor": "floors",
    "object_code": "bookings",
}
Row = dict[str, Any]


class Known:
    """Values by field and by list."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._fields: dict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._lists: dict[str, deque[Row]] = defaultdict(lambda: deque(maxlen=KEPT))

    def learn(self, path: str, body: bytes) -> None:
        """Remember what an answer to a request on this path template tells."""
        try:
            value = json.loads(body)
        except ValueError:
            return
        rows = value.get("items", value) if isinstance(value, dict) else value
        if not path.endswith("}"):
            for row in rows[:KEPT] if isinstance(rows, list) else [rows]:
                self._add(path.rpartition("/")[2], identifiers(row))
        for name, found in _scalars(value):
            # What carries the mark must never be written into somebody else's things.
            if MARK in str(found):
                continue
            for key in (name, f"{path.rpartition('/')[2]}.{name}"):
                if found not in self._fields[key]:
                    self._fields[key].append(found)

    def identifier(self, path: str, parameter: str) -> Any | None:
        """A value for one `{parameter}` of a path template: out of the list before it."""
        before = path.partition("{" + parameter + "}")[0].rstrip("/").rpartition("/")[2]
        if row := self._one(self._lists.get(before)):
            return fitting(row, parameter)
        return self._one(self._fields.get(parameter))

    def field(self, name: str) -> Any | None:
        """A value for a field of this name."""
        if row := self._one(self._lists.get(LISTS.get(name, ""))):
            return next(iter(row.values()))
        return self._one(self._fields.get(ALIASES.get(name, name)))

    def _add(self, name: str, row: Row) -> None:
        if row and row not in self._lists[name]:
            self._lists[name].append(row)

    def _one(self, values: "deque[Any] | None") -> Any | None:
        """Any of them, one of the newest half of the time."""
        if not values:
            return None
        newest = self._dice.random() < 0.5
        return self._dice.choice(list(values)[-4:] if newest else list(values))


def parameters(path: str) -> list[str]:
    """The names in a path template."""
    return _PARAMETER.findall(path)


def identifiers(row: Any) -> Row:
    """The fields that can name this row in an address, the usual one first."""
    if not isinstance(row, dict):
        return {}
    return {
        name: row[name]
        for name in IDENTIFIERS
        if isinstance(row.get(name), (str, int)) and not isinstance(row[name], bool)
    }


def fitting(row: Row, parameter: str) -> Any | None:
    """The identifier that a path's parameter means: `run_id` is the row's `id`."""
    for name in (parameter, parameter.rpartition("_")[2]):
        if name in row:
            return row[name]
    return next(iter(row.values()), None)


def _scalars(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every named string and number inside."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for item in value[:ROWS]:
            yield from _scalars(item, depth + 1)
    if isinstance(value, dict):
        for name, inner in list(value.items())[:FIELDS]:
            if isinstance(inner, (str, int, float)) and not isinstance(inner, bool):
                yield name, inner
            else:
                yield from _scalars(inner, depth + 1)
