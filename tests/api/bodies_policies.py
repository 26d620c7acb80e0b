"""Requests about policies and budgets that make sense: drafts, versions in force, claims."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from billing.domain.texts import local_day
from billing.models import Budget
from billing.services import limits, policies
from tests.api.bodies import Body, Request
from tests.api.known import Known
from tests.api.world import World
from tests.billing.policylang.documents import BOOKING, document

_turns = itertools.count(1)


def _day(world: World, ahead: int = 0) -> str:
    return str(local_day(world.moment.at) + timedelta(days=ahead))


def _code() -> str:
    return f"FZ{next(_turns)}"


def _draft(world: World, **changes: Any) -> str:
    """A draft of its own: the code of it."""
    code = _code()
    text = document(code=code, valid_to="2030-12-31", **changes)
    actor, now = world.users["finance"].actor, world.moment.at
    policies.save_policy(document=text, actor=actor, now=now)
    return code


def _version(body: Callable[[World], Body]) -> Callable[[World, Known], Request]:
    return lambda world, _: Request(body(world), {"code": _draft(world), "version": 1})


def _written(**more: Any) -> Callable[[World, Known], Request]:
    return lambda _, __: Request({"document": BOOKING | {"code": _code()}} | more)


def check(_: World, __: Known) -> Request:
    """A claim's rule on a case."""
    return Request({"document": document(), "case": {"facts": {"rent_paid": "100"}}})


def _budget(world: World) -> Body:
    """One of its own."""
    code, actor, now = _draft(world), world.users["finance"].actor, world.moment.at
    year = local_day(now).year
    limits.open_budget(policy_code=code, year=year, limit_fen=1000, actor=actor, now=now)
    return {"code": code, "year": year}


def opened(world: World, _: Known) -> Request:
    """For a draft that has none yet."""
    body = {"policy_code": _draft(world), "year": 2026, "limit_fen": 100}
    return Request(body)


def limit(world: World, _: Known) -> Request:
    """Twice as much."""
    body = {"limit_fen": 2000, "reason": "追加"}
    return Request(body, _budget(world), headers={"If-Match": "*"})


def one_budget(_: World, __: Known) -> Request:
    """Any that is there."""
    row = Budget.objects.earliest("pk")
    return Request(path={"code": row.policy_code, "year": row.year})


def shares(world: World, _: Known) -> Request:
    """Of a claim's policy that is in force."""
    code = _draft(world, budget={"per": "year", "limit": "10", "share": "pro_rata"})
    today, actor = local_day(world.moment.at), world.users["finance"].actor
    policies.activate_policy(
        code=code, version=1, first=today, last=None, actor=actor, now=world.moment.at
    )
    claim = {"code": code, "tenant": world.mine.code, "amount_fen": 700}
    claims = [claim | {"filed_at": world.moment.at.isoformat()}]
    return Request({"claims": claims, "commit": True}, {"code": code, "year": today.year})


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/policies": _written(),
    f"POST {API}/policies/check": check,
    f"POST {API}/policies/what-if": _written(quarter="2026-Q3"),
    f"POST {API}/policies/{{code}}/versions/{{version}}/activate": _version(
        lambda world: {"first": _day(world)}
    ),
    f"POST {API}/policies/{{code}}/versions/{{version}}/withdraw": _version(
        lambda world: {"last": _day(world)}
    ),
    f"POST {API}/budgets": opened,
    f"GET {API}/budgets/{{code}}/{{year}}": one_budget,
    f"PATCH {API}/budgets/{{code}}/{{year}}": limit,
    f"POST {API}/budgets/{{code}}/{{year}}/shares": shares,
}
