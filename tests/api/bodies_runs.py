"""Requests about invoice runs that make sense; as in bodies.py they are sent half of the time."""

from collections.abc import Callable
from datetime import date

from base_ops.core.spans import Span
from billing import services as billing
from billing.models import InvoiceRun
from billing.models.invoices import RunStatus
from billing.services import holding
from tests.api.bodies import HOUR, Request
from tests.api.known import Known
from tests.api.world import World
from tests.billing.world import finished

AUGUST = (date(2026, 8, 1), date(2026, 8, 31))


def _preview(world: World) -> InvoiceRun:
    """A preview with at least one document."""
    waiting = InvoiceRun.objects.filter(status=RunStatus.PREVIEW, entries_total__gt=0)
    if (known := waiting.order_by("-id").first()) is not None:
        return known
    now, actor = world.moment.at, world.users["finance"].actor
    span = Span(now - HOUR * 4, now - HOUR * 2)
    finished(tenant=world.other, space=world.spaces[0], span=span, now=now)
    return billing.preview_run(period_from=AUGUST[0], period_to=now.date(), actor=actor, now=now)


def held_back(world: World, _: Known) -> Request:
    run = _preview(world)
    return Request({"reason": "租户有异议"}, {"run_id": run.pk, "position": 1})


def let_go(world: World, _: Known) -> Request:
    """One that is held back just now."""
    run = _preview(world)
    holding.hold(
        run_id=run.pk, position=1, why="x", actor=world.users["finance"].actor,
        now=world.moment.at,
    )  # fmt: skip
    return Request({}, {"run_id": run.pk, "position": 1})


def rules(_: World, __: Known) -> Request:
    body = {"second_person_from_fen": 10**9, "change_percent": 50, "change_from_fen": 1000}
    return Request(body, headers={"If-Match": "*"})


API = "/api/v1"
_ENTRY = f"{API}/invoice-runs/{{run_id}}/entries/{{position}}"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {_ENTRY}/hold": held_back,
    f"POST {_ENTRY}/release": let_go,
    f"PUT {API}/invoice-run-rules": rules,
}
