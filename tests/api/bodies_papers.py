"""Requests about documents that make sense: each makes the invoice or letter its deed is for.

As in bodies.py they are sent half of the time.
"""

import itertools
from collections.abc import Callable
from datetime import timedelta

from base_ops.core import money
from base_ops.core.spans import Span
from billing import services
from billing.documents import proof
from billing.domain.reds import BuyerUse, RedReason, Side
from billing.models import Charge, Invoice, RedLetter, Statement
from billing.seller import PROPERTY, SELLER
from billing.services import reds, stating
from tests.api.bodies import Body, Request
from tests.api.known import Known
from tests.api.world import HOUR, World
from tests.billing.world import finished

_turns = itertools.count(1)


def charge_of(world: World) -> Charge:
    """A new one of tenant A that is on no invoice."""
    now = world.moment.at
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=2 + next(_turns))
    span = Span(start, start + HOUR * 2)
    code = f"BKFUZZ{next(_turns):05d}"
    return finished(
        tenant=world.mine, space=world.spaces[0], span=span, now=now, reserve=False,
        booking_code=code,
    )[0]  # fmt: skip


def invoice_of(world: World) -> Invoice:
    """A new one of tenant A, through a run of its own."""
    charge, now = charge_of(world), world.moment.at
    actor, day = world.users["finance"].actor, charge.service_on
    run = services.preview_run(period_from=day, period_to=day, actor=actor, now=now)
    services.approve_run(run_id=run.pk, inputs_hash=run.inputs_hash, actor=actor, now=now)
    services.ask_issue(run_id=run.pk, actor=actor, now=now)
    services.issue_due(now)
    return Charge.objects.get(pk=charge.pk).invoice_line.invoice


def red_of(world: World, *, used: bool, side: Side = Side.SELLER) -> RedLetter:
    """A new one: requested when the buyer used the invoice, else confirmed."""
    invoice, now = invoice_of(world), world.moment.at
    actor = world.users["finance"].actor
    if used:
        reds.note_use(invoice=invoice, use=BuyerUse.BOOKED, actor=actor, now=now)
    return reds.start(
        invoice=invoice, side=side, reason=RedReason.ALLOWANCE, wanted=None, note="",
        actor=actor, now=now,
    )  # fmt: skip


def _invoiced(body: Body) -> Callable[[World, Known], Request]:
    return lambda world, _: Request(body, {"number": invoice_of(world).number})


def waiting(world: World, _: Known) -> Request:
    """About one that waits for either side, by turns."""
    side = (Side.SELLER, Side.BUYER)[next(_turns) % 2]
    return Request({"note": "好"}, {"red_id": red_of(world, used=True, side=side).pk})


def issued(world: World, _: Known) -> Request:
    """About one that is confirmed."""
    return Request({}, {"red_id": red_of(world, used=False).pk})


def correction(world: World, _: Known) -> Request:
    """Another amount."""
    return Request({"gross_fen": 100, "reason": "时段录错"}, {"charge_id": charge_of(world).pk})


def seller(_: World, __: Known) -> Request:
    """The illustrative one, once more."""
    return Request({**SELLER, **PROPERTY, "cross_city": False}, headers={"If-Match": "*"})


def sealed(world: World, _: Known) -> Request:
    """The code of a document."""
    return Request(path={"token": proof.token(str(invoice_of(world).number))})


def statement_of(world: World) -> int:
    """The id of tenant A's statement of a month that nobody has confirmed."""
    now, finance = world.moment.at, world.users["finance"].actor
    month = f"20{10 + next(_turns) % 15}-{1 + next(_turns) % 12:02d}"
    Statement.objects.filter(tenant=world.mine, month=f"{month}-01").update(state="replaced")
    return stating.make_statement(
        tenant=world.mine.code, month=month, actor=finance, now=now
    ).pk  # fmt: skip


def month(world: World, _: Known) -> Request:
    """Of tenant A, some years ago."""
    return Request({"tenant": world.mine.code, "month": f"20{10 + next(_turns) % 15}-07"})


def stated(world: World, _: Known) -> Request:
    """About a statement that waits."""
    return Request({}, {"statement_id": statement_of(world)})


def objection(world: World, _: Known) -> Request:
    """To the first line of a new invoice."""
    path = {"number": invoice_of(world).number, "position": 1}
    return Request({"reason": "未使用"}, path)


def disputed(body: Body) -> Callable[[World, Known], Request]:
    """About an objection that waits."""

    def make(world: World, _: Known) -> Request:
        row = stating.raise_dispute(
            invoice=invoice_of(world), position=1, reason="未使用",
            actor=world.users["tenant_admin"].actor, now=world.moment.at,
        )  # fmt: skip
        return Request(body, {"dispute_id": row.pk})

    return make


def numbers(world: World, _: Known) -> Request:
    """The issued number of a new invoice."""
    row = invoice_of(world)
    text = (
        "单据编号,数电票号码,开票日期,价税合计\r\n"
        f"{row.number}/1,{next(_turns):020d},2026-09-01,{money.yuan(row.gross_fen)}\r\n"
    )
    return Request(text.encode(), query={"format": "csv"}, media_type="text/csv")


def august(**path: str) -> Callable[[World, Known], Request]:
    """What was invoiced of it."""
    return lambda *_: Request(path=dict(path), query={"month": "2026-08"})


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/invoices/{{number}}/red-letters": _invoiced({"reason": "ended"}),
    f"POST {API}/invoices/{{number}}/buyer-use": _invoiced({"use": "booked"}),
    f"GET {API}/red-letters/{{red_id}}": issued,
    f"POST {API}/red-letters/{{red_id}}/confirm": waiting,
    f"POST {API}/red-letters/{{red_id}}/refuse": waiting,
    f"POST {API}/red-letters/{{red_id}}/withdraw": waiting,
    f"POST {API}/red-letters/{{red_id}}/issue": issued,
    f"POST {API}/einvoice-imports": numbers,
    f"POST {API}/einvoice-imports/dry-run": numbers,
    f"GET {API}/invoices/{{number}}/einvoice.{{kind}}": lambda world, _: Request(
        path={"number": invoice_of(world).number, "kind": "xml"}
    ),
    f"GET {API}/exports/{{what}}.{{kind}}": august(what="lines", kind="csv"),
    f"GET {API}/exports/documents.zip": august(),
    f"POST {API}/statements": month,
    f"GET {API}/statements/{{statement_id}}": stated,
    f"GET {API}/statements/{{statement_id}}/pdf": stated,
    f"POST {API}/statements/{{statement_id}}/confirm": stated,
    f"POST {API}/invoices/{{number}}/lines/{{position}}/disputes": objection,
    f"GET {API}/disputes/{{dispute_id}}/evidence": disputed({}),
    f"POST {API}/disputes/{{dispute_id}}/answer": disputed({"accept": True, "answer": "是"}),
    f"POST {API}/disputes/{{dispute_id}}/withdraw": disputed({}),
    f"PUT {API}/billing/seller": seller,
    f"GET {API}/verify/{{token}}": sealed,
    f"POST {API}/charges/{{charge_id}}/correct": correction,
}
