"""Puts values of the real world into a generated case, so that it gets past the first refusal.

What schemathesis made stays where the world knows nothing better, and now and then where it does.
"""

import itertools
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.errors import DomainError
from tests import make as made
from tests.api import bodies as of_bookings
from tests.api import bodies_control as of_rooms
from tests.api import bodies_devices as of_devices
from tests.api import bodies_money as of_money
from tests.api import bodies_papers as of_papers
from tests.api import bodies_policies as of_policies
from tests.api import bodies_prices as of_prices
from tests.api import bodies_runs as of_runs
from tests.api.bodies import Request
from tests.api.judging import Case
from tests.api.known import ALIASES, Known, parameters
from tests.api.world import World

_keys = itertools.count(1)
REQUESTS = {
    **of_bookings.REQUESTS,
    **of_devices.REQUESTS,
    **of_money.REQUESTS,
    **of_prices.REQUESTS,
    **of_policies.REQUESTS,
    **of_rooms.REQUESTS,
    **of_papers.REQUESTS,
    **of_runs.REQUESTS,
}
SLOT = timedelta(minutes=30)
PAIRS = (("starts_at", "ends_at"), ("from", "to"), ("start", "end"), ("starts_on", "ends_on"))
COUNTS = {"headcount": 2, "units": 1, "qty": 1, "capacity": 1, "limit": 20, "if_v": 0}


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the thing that a request is about."""

    path: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    at_once: bool = False  # times begin with the half hour that runs


class Ground:
    """Values for the fields of a case, by the dice of this run."""

    def __init__(
        self, world: World, known: Known, dice: random.Random, schema: dict[str, Any]
    ) -> None:
        self._world, self._known, self._dice = world, known, dice
        self._bodies = bodies(schema)

    def case(self, case: Case, given: Given, *, valid: bool) -> None:
        """Change the case in place; one that breaks its schema on purpose keeps its fields."""
        path: dict[str, Any] = dict(case.path_parameters or {})
        for name in parameters(case.path):
            real = given.path.get(name, self._known.identifier(case.path, name))
            if real is not None and (name in given.path or self._chance(0.85)):
                path[name] = real
        if path:
            case.path_parameters = path
        self._headers(case, keep=0.03 if valid else 0.5)
        if not valid:
            return
        if case.query:
            case.query = self._filled(dict(case.query), given)
        if sensible := self._sensible(case):
            self._put(case, sensible, path, given)
        elif isinstance(case.body, dict):
            case.body = self._filled(self._plausible(case, dict(case.body), given), given)

    def _sensible(self, case: Case) -> Request | None:
        """Half of the time, unless what was published before forbids to bring it about."""
        make = REQUESTS.get(case.operation.label)
        if make is None or not self._chance(0.5):
            return None
        try:
            return make(self._world, self._known)
        except DomainError:
            return None  # the rules of bookings are fuzzed, too; how much is reached is asserted

    def _put(self, case: Case, wanted: Request, path: dict[str, Any], given: Given) -> None:
        """All that makes sense together; the thing that is led through its life stays the one."""
        if all(given.path.get(name, value) == value for name, value in wanted.path.items()):
            path = path | wanted.path
        case.path_parameters = path
        if wanted.body is not None:
            case.body = wanted.body
        if wanted.query:
            known = {parameter.name for parameter in case.operation.query}
            case.query = {n: v for n, v in wanted.query.items() if n in known}
        if wanted.media_type:
            case.media_type = wanted.media_type
        if wanted.headers:
            headers = {**dict(case.headers or {}), **wanted.headers}
            case.headers = headers  # type: ignore[assignment] # it makes its own mapping of it

    def _headers(self, case: Case, *, keep: float) -> None:
        headers = dict(case.headers or {})
        for name in [n for n in headers if n.lower() == "idempotency-key"]:
            if not self._chance(keep):
                headers[name] = f"fuzz-key-{next(_keys):08d}"
        case.headers = headers  # type: ignore[assignment] # it makes its own mapping of it

    def _plausible(self, case: Case, body: dict[str, Any], given: Given) -> dict[str, Any]:
        """Mostly without what need not be there and means nothing, with what the world knows."""
        names, required = self._bodies[case.operation.label]
        for name in sorted({*body, *names} - required - {n for pair in PAIRS for n in pair}):
            value = self._value(name, given) if name in names else None
            if value is None and self._chance(0.6):
                body.pop(name, None)
            elif value is not None and name not in body and self._chance(0.4):
                body[name] = value
        return body

    def _filled(self, fields: dict[str, Any], given: Given) -> dict[str, Any]:
        for name, old in fields.items():
            if name == "state":
                fields[name] = {"power": True}
            elif isinstance(old, dict):
                fields[name] = self._filled(dict(old), given)
            elif isinstance(old, list):
                fields[name] = [self._item(name, item, given) for item in old][:3]
            elif self._chance(0.85):
                value = self._value(name, given)
                fields[name] = old if value is None else value
        for pair in PAIRS:
            if any(name in fields for name in pair) and self._chance(0.9):
                self._fill_pair(fields, pair, given)
        return fields

    def _item(self, name: str, item: Any, given: Given) -> Any:
        if isinstance(item, dict):
            return self._filled(dict(item), given)
        value = self._known.field(name) if self._chance(0.85) else None
        return item if value is None else value

    def _value(self, name: str, given: Given) -> Any | None:
        if name in COUNTS:
            return COUNTS[name]
        if name == "email":
            return self._dice.choice([u.email for u in self._world.users.values()])
        if name == "password":
            return made.PASSWORD
        if name == "month":
            return f"{self._world.moment.at:%Y-%m}"
        told = given.fields.get(ALIASES.get(name, name))
        return self._known.field(name) if told is None or isinstance(told, dict) else told

    def _fill_pair(self, fields: dict[str, Any], pair: tuple[str, str], given: Given) -> None:
        """A time that lies on the grid: from now, today, or on one of the next days."""
        ahead = [0, self._dice.randint(2, 12), self._dice.randint(40, 400)]
        begun = floor(self._world.moment.at)
        start = begun if given.at_once else begun + SLOT * self._dice.choice(ahead)
        end = start + SLOT * self._dice.choice([2, 2, 4])
        by_day = pair[0].endswith("_on") or len(str(fields.get(pair[0], ""))) == len("2026-01-01")
        for name, instant in zip(pair, (start, end), strict=True):
            if name in fields:
                fields[name] = instant.date().isoformat() if by_day else instant.isoformat()

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share


def floor(at: datetime) -> datetime:
    """The half hour that has begun."""
    return at - (at - at.replace(minute=0, second=0, microsecond=0)) % SLOT


def bodies(schema: dict[str, Any]) -> dict[str, tuple[list[str], set[str]]]:
    """All fields of each operation's JSON body, and those that must be there; by "VERB /path"."""
    found: dict[str, tuple[list[str], set[str]]] = {}
    for path, item in schema["paths"].items():
        for verb, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema", {})
            if "$ref" in body:
                body = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]
            fields = list(body.get("properties", {}))
            found[f"{verb.upper()} {path}"] = fields, set(body.get("required", ()))
    return found
