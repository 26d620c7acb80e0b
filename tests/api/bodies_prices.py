"""Requests about price lists that make sense: each about a draft, or a list, of its own."""

import itertools
from collections.abc import Callable
from datetime import timedelta

from billing.domain.texts import local_day
from billing.services import pricelists
from tests.api.bodies import Body, Request
from tests.api.known import Known
from tests.api.world import World
from tests.billing import lists

_turns = itertools.count(1)
ANY = {"If-Match": "*"}


def _ahead(world: World) -> str:
    """A day years ahead that nobody was given yet: what is booked keeps its prices."""
    return str(local_day(world.moment.at) + timedelta(days=4000 + next(_turns)))


def _draft(world: World) -> Body:
    actor, now = world.users["finance"].actor, world.moment.at
    row = pricelists.draft(name="新价目", document=lists.document(), actor=actor, now=now)
    return {"number": row.number}


def check(world: World, _: Known) -> Request:
    """The demo's prices."""
    return Request({"document": lists.document(), "valid_from": _ahead(world)})


def draft(_: World, __: Known) -> Request:
    """The demo's prices."""
    return Request({"name": f"价目{next(_turns)}", "document": lists.document()})


def edit(world: World, _: Known) -> Request:
    """Another price for one thing."""
    body = {"name": "新价目", "document": lists.dearer()}
    return Request(body, _draft(world), headers=ANY)


def activate(world: World, _: Known) -> Request:
    """A draft, from a day far ahead on."""
    return Request({"valid_from": _ahead(world)}, _draft(world), headers=ANY)


def withdraw(world: World, _: Known) -> Request:
    """One that is to come."""
    actor, now = world.users["finance"].actor, world.moment.at
    day = local_day(now) + timedelta(days=4000 + next(_turns))
    path = _draft(world)
    pricelists.activate(
        number=path["number"], valid_from=day, check=lambda version: None, actor=actor, now=now
    )
    return Request({}, path, headers=ANY)


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/price-books/check": check,
    f"POST {API}/price-books": draft,
    f"PUT {API}/price-books/{{number}}": edit,
    f"POST {API}/price-books/{{number}}/activate": activate,
    f"POST {API}/price-books/{{number}}/withdraw": withdraw,
}
