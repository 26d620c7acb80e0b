"""Requests about money that make sense: payments with something left, documents that are open."""

import itertools
import random
from collections.abc import Callable
from datetime import date
from typing import Any

from base_ops.core.months import add_months, first_of
from billing.domain import dunning
from billing.domain.allocating import Part
from billing.domain.texts import local_day
from billing.models import Invoice
from billing.services import closing, paying, posting, securities, subsidies, wallets
from tests.api.bodies import Body, Request
from tests.api.known import Known
from tests.api.world import World
from tests.billing.money import relieved, settled

_turns = itertools.count(1)


def _on(world: World) -> str:
    return str(local_day(world.moment.at))


def _payment(world: World, tenant: Any = None, amount_fen: int = 100) -> int:
    wish = paying.PaymentWish(
        method="transfer", amount_fen=amount_fen, received_on=local_day(world.moment.at),
        tenant=tenant,
    )  # fmt: skip
    actor, now = world.users["finance"].actor, world.moment.at
    return paying.record(wish=wish, actor=actor, now=now).pk


def _number(world: World) -> str:
    return str(Invoice.objects.filter(tenant=world.mine, gross_fen__gt=0).earliest("pk").number)


def payment(world: World, _: Known) -> Request:
    """A yuan of tenant A."""
    body = {"method": "transfer", "amount_fen": 100, "received_on": _on(world)}
    more = {"tenant": world.mine.code, "bank_reference": f"FUZZ{next(_turns)}"}
    return Request(body | more)


def allocate(world: World, _: Known) -> Request:
    """For what fell due first."""
    return Request({"rest": "wallet"}, {"payment_id": _payment(world, world.mine, 3)})


def take_back(world: World, _: Known) -> Request:
    """What was just allocated."""
    pk, part = _payment(world, world.mine, 3), Part(_number(world), 1)
    actor, now = world.users["finance"].actor, world.moment.at
    (made,) = paying.allocate(payment_id=pk, parts=[part], actor=actor, now=now)
    return Request({"allocation": made.pk}, {"payment_id": pk})


def _about_payment(body: Callable[[World], Body]) -> Callable[[World, Known], Request]:
    return lambda world, _: Request(body(world), {"payment_id": _payment(world, world.mine)})


def _back(world: World) -> Body:
    return {"amount_fen": 1, "method": "transfer", "on": _on(world), "reason": "多付"}


def _filled(world: World) -> None:
    pk, actor = _payment(world, world.mine), world.users["finance"].actor
    wallets.fill(payment_id=pk, actor=actor, now=world.moment.at)


def use_wallet(world: World, _: Known) -> Request:
    """A fen for the oldest document."""
    _filled(world)
    part = {"invoice": _number(world), "amount_fen": 1}
    return Request({"tenant": world.mine.code, "parts": [part]})


def refund_wallet(world: World, _: Known) -> Request:
    """A fen of tenant A's."""
    _filled(world)
    return Request(_back(world) | {"tenant": world.mine.code})


def deposit(world: World, _: Known) -> Request:
    """For something new."""
    body = {"tenant": world.mine.code, "purpose": f"fuzz/{next(_turns)}"}
    return Request(body | {"amount_fen": 100, "on": _on(world)})


def _held(world: World) -> Body:
    move = securities.Move(100, local_day(world.moment.at))
    row = securities.take(
        purpose=f"held/{next(_turns)}", tenant=world.mine, move=move,
        actor=world.users["finance"].actor, now=world.moment.at,
    )  # fmt: skip
    return {"deposit_id": row.pk}


def give_back(world: World, _: Known) -> Request:
    """A fen of it."""
    return Request({"amount_fen": 1, "on": _on(world)}, _held(world))


def set_off(world: World, _: Known) -> Request:
    """A fen of it."""
    part = {"invoice": _number(world), "amount_fen": 1}
    return Request({"parts": [part], "note": "欠费"}, _held(world))


def close(world: World, _: Known) -> Request:
    """A month in which nothing was ever written."""
    posting.post_documents(world.moment.at)
    return Request(path={"month": "2020-01"})


def reopen(world: World, _: Known) -> Request:
    """The same."""
    month = add_months(first_of(local_day(world.moment.at)), -60)
    actor = world.users["admin"].actor
    closing.close(month=month, actor=actor, now=world.moment.at)
    return Request({"reason": "漏记"}, {"month": f"{month:%Y-%m}"})


def bank_file(world: World, _: Known) -> Request:
    """One row that nobody sent before."""
    day = local_day(world.moment.at)
    rows = ["交易日期,贷方发生额,流水号,对方户名,摘要", f"{day},1.00,BANK{next(_turns)},x,y", ""]
    query = {"format": "csv", "mode": "skip"}
    return Request("\r\n".join(rows).encode(), query=query, media_type="text/csv")


def dunning_plan(_: World, __: Known) -> Request:
    """The standard one, once more."""
    return Request(dict(dunning.STANDARD), headers={"If-Match": "*"})


def claimable(world: World, _: Known) -> Request:
    """Relief of tenant A that was just paid."""
    settled(relieved(world.mine, now=world.moment.at, day=_day(world)), world.moment.at)
    day = str(_day(world))
    return Request({"programme": "P08", "period_from": day, "period_to": day})


def _day(world: World) -> date:
    return local_day(world.moment.at)


def _claim(world: World, *deeds: str) -> Body:
    """The path to a claim that went through these deeds."""
    claimable(world, Known(random.Random(1)))
    actor, now, day = world.users["finance"].actor, world.moment.at, _day(world)
    row = subsidies.draft(programme="P08", first=day, last=day, actor=actor, now=now)
    if "submit" in deeds:
        subsidies.submit(claim_id=row.pk, actor=actor, now=now)
    if "decide" in deeds:
        subsidies.decide(claim_id=row.pk, decisions=[], note="", actor=actor, now=now)
    return {"claim_id": row.pk}


def _about_claim(
    *deeds: str, body: Callable[[World], Body] = lambda _: {}
) -> Callable[[World, Known], Request]:
    return lambda world, _: Request(body(world), _claim(world, *deeds))


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/payments": payment,
    f"GET {API}/payments/{{payment_id}}": (
        lambda world, _: Request(path={"payment_id": _payment(world, world.mine)})
    ),
    f"POST {API}/payments/{{payment_id}}/allocate": allocate,
    f"POST {API}/payments/{{payment_id}}/take-back": take_back,
    f"POST {API}/payments/{{payment_id}}/to-wallet": _about_payment(lambda _: {"amount_fen": 1}),
    f"POST {API}/payments/{{payment_id}}/refund": _about_payment(_back),
    f"POST {API}/payments/{{payment_id}}/void": _about_payment(lambda _: {"reason": "退票"}),
    f"POST {API}/wallets/use": use_wallet,
    f"POST {API}/wallets/refund": refund_wallet,
    f"POST {API}/deposits": deposit,
    f"POST {API}/deposits/{{deposit_id}}/return": give_back,
    f"POST {API}/deposits/{{deposit_id}}/set-off": set_off,
    f"POST {API}/bank-imports": bank_file,
    f"POST {API}/bank-imports/dry-run": bank_file,
    f"GET {API}/payments/{{payment_id}}/suggestions": _about_payment(lambda _: {}),
    f"PUT {API}/dunning": dunning_plan,
    f"POST {API}/claims": claimable,
    f"GET {API}/claims/{{claim_id}}": _about_claim(),
    f"GET {API}/claims/{{claim_id}}/pack": _about_claim(),
    f"POST {API}/claims/{{claim_id}}/submit": _about_claim(),
    f"POST {API}/claims/{{claim_id}}/discard": _about_claim(),
    f"POST {API}/claims/{{claim_id}}/decide": _about_claim("submit"),
    f"POST {API}/claims/{{claim_id}}/pay": _about_claim(
        "submit", "decide", body=lambda world: {"on": _on(world)}
    ),
    f"POST {API}/ledger/periods/{{month}}/close": close,
    f"POST {API}/ledger/periods/{{month}}/reopen": reopen,
}
