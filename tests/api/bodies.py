"""Bodies that make sense for operations whose fields depend on each other.

Most operations need none: known.py and grounding.py find their values. What is here is sent half
of the time; the rest stays as generated.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.api.known import Known
from tests.api.world import World

Body = dict[str, Any]


def _day(world: World, ahead: int) -> str:
    return (world.moment.at + timedelta(days=ahead)).date().isoformat()


def lease(world: World, known: Known) -> Body:
    """A desk for some months."""
    return {
        "space": world.desks.code,
        "tenant": known.field("tenant") or world.mine.code,
        "starts_on": _day(world, 3),
        "months": 3,
        "unit_count": 1,
    }


def terminate(world: World, _: Known) -> Body:
    """Soon, by agreement."""
    return {"last_day": _day(world, 40), "reason": "搬迁", "by_agreement": True}


def deposit(world: World, _: Known) -> Body:
    """A yuan, today."""
    return {"amount_fen": 100, "on": _day(world, 0), "note": "押金"}


def endpoint(_: World, known: Known) -> Body:
    """A webhook on the internet, which nobody calls here."""
    return {"kind": "webhook", "name": "Orders", "url": "https://hooks.example.org/in?t=1"}


def year(_: World, __: Known) -> Body:
    """A year with one holiday."""
    new_year = {"first": "2027-01-01", "last": "2027-01-03", "zh": "元旦"}
    return {"announced": True, "breaks": [new_year], "make_up_days": []}


BODIES: dict[str, Callable[[World, Known], Body]] = {
    "POST /api/v1/leases": lease,
    "POST /api/v1/leases/quote": lease,
    "PUT /api/v1/leases/{code}": lease,
    "POST /api/v1/leases/{code}/terminate": terminate,
    "POST /api/v1/leases/{code}/withdraw": lambda *_: {"reason": "撤回"},
    "POST /api/v1/leases/{code}/renew": lambda *_: {"months": 2},
    "POST /api/v1/leases/{code}/deposit/received": deposit,
    "POST /api/v1/leases/{code}/deposit/returned": deposit,
    "POST /api/v1/notification-endpoints": endpoint,
    "PATCH /api/v1/notification-endpoints/{code}": lambda *_: {"name": "Bills", "active": True},
    "PUT /api/v1/workdays/{year}": year,
}
PATHS: dict[str, Body] = {"PUT /api/v1/workdays/{year}": {"year": 2027}}
