"""Webhooks, robots and the log of what was sent to them."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from base_ops.core import auth, clock, etags
from base_ops.core.idempotency import IdempotencyHeader, idempotent
from base_ops.core.models import Delivery, Endpoint
from base_ops.core.notifications import endpoints
from base_ops.core.notifications.schemas import (
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointPatch,
    SecretOut,
)
from base_ops.core.pages import Page, cut
from base_ops.core.problems import Problem, codes_4xx

router = Router(tags=["notifications"])


@router.get("/notification-endpoints", response={200: list[EndpointOut], codes_4xx: Problem})
def list_endpoints(request: HttpRequest) -> Any:
    """The webhooks and robots of the caller's tenant, or of the base."""
    return endpoints.visible(auth.user_of(request)).order_by("code")


@router.post("/notification-endpoints", response={201: EndpointOut, codes_4xx: Problem})
@idempotent
def create_endpoint(
    request: HttpRequest, wish: EndpointIn, idempotency_key: IdempotencyHeader
) -> Status[EndpointOut]:
    """Add a webhook or robot. A webhook's secret comes from POST …/secret, never from here."""
    row = endpoints.create(user=auth.user_of(request), wish=wish.model_dump(), now=clock.now())
    return Status(201, EndpointOut.from_orm(row))


@router.get("/notification-endpoints/{code}", response={200: EndpointOut, codes_4xx: Problem})
def read_endpoint(request: HttpRequest, response: HttpResponse, code: str) -> Endpoint:
    """One endpoint, with how it fares."""
    row = endpoints.of_code(auth.user_of(request), code)
    response["ETag"] = etags.etag_of(row.version)
    return row


@router.patch("/notification-endpoints/{code}", response={200: EndpointOut, codes_4xx: Problem})
def change_endpoint(
    request: HttpRequest, response: HttpResponse, code: str, wish: EndpointPatch
) -> Endpoint:
    """Change an endpoint, or switch it off and on; needs If-Match."""
    row = endpoints.change(
        user=auth.user_of(request),
        code=code,
        changes=wish.model_dump(exclude_none=True),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(row.version)
    return row


@router.delete("/notification-endpoints/{code}", response={204: None, codes_4xx: Problem})
def remove_endpoint(request: HttpRequest, code: str) -> Status[None]:
    """Remove an endpoint; what waits for it is dropped, its log stays."""
    endpoints.remove(user=auth.user_of(request), code=code, now=clock.now())
    return Status(204, None)


@router.post(
    "/notification-endpoints/{code}/secret", response={200: SecretOut, codes_4xx: Problem}
)
def renew_secret(request: HttpRequest, code: str) -> SecretOut:
    """A new secret for a webhook, shown this once; the one before stays valid for 24 hours.

    Takes no Idempotency-Key: kept answers would keep the secret. Asking again gives another one.
    """
    secret, until = endpoints.renew_secret(user=auth.user_of(request), code=code, now=clock.now())
    return SecretOut(secret=secret, old_valid_until=until)


@router.post(
    "/notification-endpoints/{code}/test", response={202: DeliveryOut, codes_4xx: Problem}
)
@idempotent
def send_test(
    request: HttpRequest, code: str, idempotency_key: IdempotencyHeader
) -> Status[DeliveryOut]:
    """Send a test message; the delivery log says what became of it."""
    row = endpoints.send_test(user=auth.user_of(request), code=code, now=clock.now())
    return Status(202, DeliveryOut.from_orm(row))


@router.get("/notification-deliveries", response={200: Page[DeliveryOut], codes_4xx: Problem})
def list_deliveries(
    request: HttpRequest,
    endpoint: str | None = None,
    status: Literal["waiting", "sent", "dead", "expired", "dropped"] | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """What was sent, waits, or is dead; newest first."""
    rows = endpoints.deliveries(auth.user_of(request))
    if endpoint:
        rows = rows.filter(endpoint__code=endpoint)
    if status:
        rows = rows.filter(status=status)
    items, following = cut(rows, by="created_at", descending=True, cursor=cursor, limit=limit)
    return {"items": items, "next": following}


@router.get(
    "/notification-deliveries/{int:delivery_id}", response={200: DeliveryOut, codes_4xx: Problem}
)
def read_delivery(request: HttpRequest, delivery_id: int) -> Delivery:
    """One message."""
    return endpoints.delivery_of(auth.user_of(request), delivery_id)


@router.post(
    "/notification-deliveries/{int:delivery_id}/resend",
    response={202: DeliveryOut, codes_4xx: Problem},
)
@idempotent
def send_again(
    request: HttpRequest, delivery_id: int, idempotency_key: IdempotencyHeader
) -> Status[DeliveryOut]:
    """Try a dead message anew."""
    row = endpoints.send_again(
        user=auth.user_of(request), delivery_id=delivery_id, now=clock.now()
    )
    return Status(202, DeliveryOut.from_orm(row))
