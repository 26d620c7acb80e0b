"""What is looked at before a run is approved, and what is kept back from it, over HTTP."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.auth import roles
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Role
from base_ops.core.pages import cut
from base_ops.core.problems import Problem, codes_4xx
from billing import showing_runs as showing
from billing.api.asking import Limit
from billing.models import RunRules
from billing.schemas import DifferencesOut, EntryStateOut, HoldIn, RunRulesIn, RunRulesOut
from billing.selectors import differences
from billing.selectors import documents as papers
from billing.selectors.run_rules import run_rules
from billing.services import holding

router = Router()
_ENTRY = "/invoice-runs/{int:run_id}/entries/{int:position}"


@router.get(
    "/invoice-runs/{int:run_id}/difference", response={200: DifferencesOut, codes_4xx: Problem}
)
@roles(Role.FINANCE)
def read_difference(
    request: HttpRequest,
    run_id: int,
    surprising: bool | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> DifferencesOut:
    """How each tenant differs from the period before, and what is surprising about it."""
    run = papers.run(run_id)
    rows, following = cut(
        differences.differences(run, surprising=surprising),
        by="position", descending=False, cursor=cursor, limit=limit,
    )  # fmt: skip
    return showing.difference(run, rows, following)


@router.post(f"{_ENTRY}/hold", response={200: EntryStateOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def hold_entry(
    request: HttpRequest,
    run_id: int,
    position: int,
    wish: HoldIn,
    idempotency_key: IdempotencyHeader,
) -> Status[EntryStateOut]:
    """Leave one document out; its charges stay open for a later run, or until it is released."""
    entry = holding.hold(
        run_id=run_id, position=position, why=wish.reason, actor=auth.actor_of(request),
        now=clock.now(),
    )  # fmt: skip
    return Status(200, showing.entry(entry))


@router.post(f"{_ENTRY}/release", response={200: EntryStateOut, codes_4xx: Problem})
@roles(Role.FINANCE)
@idempotent
def release_entry(
    request: HttpRequest, run_id: int, position: int, idempotency_key: IdempotencyHeader
) -> Status[EntryStateOut]:
    """Let a document that was left out try again; a run that had ended goes on."""
    entry = holding.release(
        run_id=run_id, position=position, actor=auth.actor_of(request), now=clock.now()
    )
    return Status(200, showing.entry(entry))


@router.get("/invoice-run-rules", response={200: RunRulesOut, codes_4xx: Problem})
@roles(Role.FINANCE)
def read_rules(request: HttpRequest, response: HttpResponse) -> RunRulesOut:
    """When a second person must approve, and what is a surprise; with their ETag."""
    return _rules(response, run_rules())


@router.put("/invoice-run-rules", response={200: RunRulesOut, codes_4xx: Problem})
@roles(Role.ADMIN)
def edit_rules(request: HttpRequest, response: HttpResponse, wish: RunRulesIn) -> RunRulesOut:
    """Change them; needs their ETag. Not for finance, whom they bind."""
    row = holding.edit_rules(
        wish=wish.model_dump(),
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _rules(response, row)


def _rules(response: HttpResponse, row: RunRules) -> RunRulesOut:
    response["ETag"] = etags.etag_of(row.version)
    return RunRulesOut.from_orm(row)
