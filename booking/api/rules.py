"""The endpoints of the rules: read, check, publish, and what applies to one space and tenant."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from base_ops.core import auth, clock, etags
from base_ops.core.models import Role, Space
from base_ops.core.problems import Problem, codes_4xx
from booking import selectors, services
from booking.api import common
from booking.domain import rulebook
from booking.domain.rulebook import Book
from booking.schemas import rulebook as schemas

router = Router(tags=["booking"])
STAFF = (Role.MANAGER, Role.FINANCE, Role.TECHNICIAN, Role.LIAISON)
TENANTS = (Role.TENANT_ADMIN, Role.TENANT_MEMBER)


@router.get("/booking-rules", response={200: schemas.RulesOut, codes_4xx: Problem})
def read_rules(request: HttpRequest, response: HttpResponse) -> schemas.RulesOut:
    """The rules in force; a tenant gets those that concern it, in words.

    The ETag is the newest version's, which an edit must have seen, in force yet or not.
    """
    book = selectors.current_book(now=clock.now())
    row = selectors.row_of(book.version)
    tenant = auth.user_of(request).tenant
    response["ETag"] = etags.etag_of(selectors.newest_rules().version)
    if tenant is None:
        found, document = book.rules, row.document
    else:
        renter = selectors.renter(tenant)
        found = tuple(rule for rule in book.rules if rule.scope.concerns(renter))
        document = None
    return schemas.RulesOut(
        version=book.version,
        valid_from=row.valid_from,
        rules=[schemas.rule_out(rule, inside=tenant is None) for rule in found],
        document=document,
    )


@router.get(
    "/booking-rules/versions", response={200: list[schemas.RuleVersionOut], codes_4xx: Problem}
)
def list_rule_versions(request: HttpRequest) -> list[schemas.RuleVersionOut]:
    """Every version, the newest first: who wrote it, when, why."""
    auth.check_role(auth.user_of(request), *STAFF)
    return [schemas.version_out(row) for row in selectors.rule_versions()]


@router.put("/booking-rules", response={200: schemas.RuleVersionOut, codes_4xx: Problem})
def publish_rules(
    request: HttpRequest, response: HttpResponse, draft: schemas.RulesIn
) -> schemas.RuleVersionOut:
    """Write the next version; refused with every fault; needs the newest version's ETag."""
    auth.check_role(auth.user_of(request), Role.MANAGER)
    row = services.publish_rules(
        document=draft.document,
        valid_from=draft.valid_from,
        note=draft.note,
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(row.version)
    return schemas.version_out(row)


@router.post("/booking-rules/check", response={200: schemas.RulesCheckOut, codes_4xx: Problem})
def check_rules(request: HttpRequest, draft: schemas.RulesDraftIn) -> schemas.RulesCheckOut:
    """Everything wrong with a draft; and by a draft without faults, what a wish would break."""
    auth.check_role(auth.user_of(request), Role.MANAGER)
    faults = rulebook.check(draft.document, known=selectors.known_codes())
    if faults or draft.wish is None:
        return schemas.RulesCheckOut(faults=schemas.faults_out(faults))
    verdict = services.try_rules(
        wish=common.wish_of(request, draft.wish),
        book=rulebook.compile_book(draft.document),
        now=clock.now(),
    )
    return schemas.RulesCheckOut(
        faults=[],
        broken=schemas.broken_out(verdict.broken),
        approvals=list(verdict.approvals),
    )


@router.get("/booking-rules/applicable", response={200: schemas.ApplicableOut, codes_4xx: Problem})
def read_applicable_rules(
    request: HttpRequest,
    space: Annotated[str, Query(max_length=32)],
    tenant: Annotated[str | None, Query(max_length=16)] = None,
) -> schemas.ApplicableOut:
    """What applies to one space and tenant, so that a form shows the limits beforehand."""
    user = auth.user_of(request)
    auth.check_role(user, *STAFF, *TENANTS)
    renter = selectors.renter(common.tenant_of(user, tenant))
    row = Space.objects.select_related("type", "floor").filter(code=space).first()
    if row is None:
        raise common.UnknownSpace(space, fields=[common.fault("space", common.UnknownSpace)])
    book = selectors.current_book(now=clock.now())
    return _applicable(book, selectors.place(row, book), renter, inside=user.tenant_id is None)


def _applicable(
    book: Book, place: rulebook.Place, renter: rulebook.Renter, *, inside: bool
) -> schemas.ApplicableOut:
    terms = book.terms(place, renter)
    found = sorted((*terms.one.values(), *terms.every), key=lambda rule: rule.position)
    return schemas.ApplicableOut(
        version=book.version,
        space=place.code,
        tenant=renter.code,
        rules=[
            schemas.rule_out(rule, inside=inside).model_copy(
                update={"params": book.figures(rule, place)}
            )
            for rule in found
        ],
        needs_approval=any(
            rule.kind == "approval"
            and rule.params["over_minutes"] is None
            and rule.params["over_people"] is None
            for rule in terms.every
        ),
    )
