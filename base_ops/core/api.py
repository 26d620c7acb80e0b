"""Sessions, tokens, the building, tenants, the audit trail."""

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Query, Router, Status

from base_ops.core import auth, clock, errors, services
from base_ops.core.auth import roles
from base_ops.core.models import (
    AuditEntry,
    Floor,
    Role,
    Site,
    Space,
    SpaceType,
    Tenant,
    User,
)
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.schemas import (
    AuditOut,
    FloorOut,
    NewTokenOut,
    Ping,
    SessionOut,
    SignIn,
    SiteOut,
    SpaceOut,
    SpaceTypeOut,
    TenantOut,
    TokenIn,
    TokenOut,
)

router = Router(tags=["core"])


def _session(request: HttpRequest, user: User | None) -> dict[str, Any]:
    return {"user": user, "csrf": get_token(request), "demo": settings.DEMO, "now": clock.now()}


@router.get("/session", auth=None, response=SessionOut)
def read_session(request: HttpRequest) -> dict[str, Any]:
    """Who is signed in, and the CSRF token for writes."""
    user = request.user if isinstance(request.user, User) else None
    return _session(request, user)


@router.post("/session", auth=None, response={200: SessionOut, codes_4xx: Problem})
def start_session(request: HttpRequest, wish: SignIn) -> dict[str, Any]:
    """Sign in with e-mail and password; sets the session cookie."""
    auth.require_csrf(request)
    user = services.sign_in(
        request=request, email=wish.email, password=wish.password, now=clock.now()
    )
    return _session(request, user)


@router.delete("/session", auth=None, response={204: None, codes_4xx: Problem})
def end_session(request: HttpRequest) -> Status[None]:
    """Sign out."""
    auth.require_csrf(request)
    services.sign_out(request=request, now=clock.now())
    return Status(204, None)


@router.get("/ping", response={200: Ping, codes_4xx: Problem})
def ping(request: HttpRequest) -> Ping:
    """Nothing but the authentication: the floor that benchmarks measure against."""
    return Ping()


@router.get("/me/tokens", response={200: list[TokenOut], codes_4xx: Problem})
def list_tokens(request: HttpRequest) -> Any:
    """The caller's own tokens, newest first."""
    return auth.user_of(request).api_tokens.order_by("-created_at")


@router.post("/me/tokens", response={201: NewTokenOut, codes_4xx: Problem})
def create_token(request: HttpRequest, wish: TokenIn) -> Status[dict[str, Any]]:
    """Make a personal token; its secret is shown this once."""
    token, row = services.create_token(
        user=auth.user_of(request), name=wish.name, expires_at=wish.expires_at, now=clock.now()
    )
    return Status(201, TokenOut.from_orm(row).model_dump() | {"token": token})


@router.delete("/me/tokens/{int:token_id}", response={204: None, codes_4xx: Problem})
def revoke_token(request: HttpRequest, token_id: int) -> Status[None]:
    """End one of the caller's own tokens."""
    services.revoke_token(user=auth.user_of(request), token_id=token_id, now=clock.now())
    return Status(204, None)


@router.get("/site", response={200: SiteOut, codes_4xx: Problem})
def read_site(request: HttpRequest) -> Site:
    """The base."""
    site = Site.objects.first()
    if site is None:
        raise errors.NotFound("no base was imported yet: manage.py import_base FILE")
    return site


@router.get("/floors", response={200: list[FloorOut], codes_4xx: Problem})
def list_floors(request: HttpRequest) -> Any:
    """Both floors with the outlines of their spaces."""
    return Floor.objects.prefetch_related("spaces__type", "spaces__floor")


@router.get("/space-types", response={200: list[SpaceTypeOut], codes_4xx: Problem})
def list_space_types(request: HttpRequest) -> Any:
    """Kinds of spaces."""
    return SpaceType.objects.order_by("pk")


@router.get("/spaces", response={200: list[SpaceOut], codes_4xx: Problem})
def list_spaces(request: HttpRequest, bookable: bool | None = None) -> Any:
    """All spaces, or only those that can (or cannot) be booked."""
    rows = Space.objects.select_related("floor", "type")
    return rows if bookable is None else rows.filter(bookable=bookable)


@router.get("/spaces/{code}", response={200: SpaceOut, codes_4xx: Problem})
def read_space(request: HttpRequest, code: str) -> Space:
    """One space."""
    row = Space.objects.select_related("floor", "type").filter(code=code).first()
    if row is None:
        raise errors.NotFound(f"no space {code}")
    return row


@router.get("/tenants", response={200: list[TenantOut], codes_4xx: Problem})
@roles(Role.MANAGER, Role.FINANCE)
def list_tenants(request: HttpRequest) -> Any:
    """All tenants, for people of the base."""
    return Tenant.objects.all()


@router.get("/tenants/{code}", response={200: TenantOut, codes_4xx: Problem})
def read_tenant(request: HttpRequest, code: str) -> Tenant:
    """One tenant: any for people of the base, only the own one for a tenant's people."""
    user = auth.user_of(request)
    if user.tenant_id is None:
        auth.check_role(user, Role.MANAGER, Role.FINANCE)
    row = Tenant.objects.filter(code=code).first()
    if row is None or user.tenant_id not in {None, row.pk}:
        raise errors.NotFound(f"no tenant {code}")
    return row


@router.get("/audit", response={200: Page[AuditOut], codes_4xx: Problem})
@roles(Role.ADMIN)
def list_audit(
    request: HttpRequest,
    object_type: str | None = None,
    object_code: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """What was done by whom, newest first."""
    rows = AuditEntry.objects.all()
    if object_type:
        rows = rows.filter(object_type=object_type)
    if object_code:
        rows = rows.filter(object_code=object_code)
    items, following = cut(rows, by="at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}
