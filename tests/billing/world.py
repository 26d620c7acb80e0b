"""Rooms of the data file's kinds, and bookings that are over."""

import itertools
from datetime import datetime
from typing import Any

from base_ops.core.models import Space, Tenant
from base_ops.core.spans import Span
from billing import services
from billing.domain.facts import BookingFacts, booking_source
from billing.models import Charge
from tests import make
from tests.billing.data import base

_number = itertools.count(1)


def room(type_code: str = "studio_single", **changes: Any) -> Space:
    """A room of one of the base's types."""
    kind = next(t for t in base()["space_types"] if t["code"] == type_code)
    from base_ops.core.models import SpaceType

    row = SpaceType.objects.filter(code=type_code).first() or make.space_type(
        code=type_code,
        name_zh=kind["name_zh"],
        name_en=kind["name_en"],
        group=kind["group"],
        tariff_code=kind["tariff"] or "",
    )
    return make.space(type=row, **changes)


def finished(
    *, tenant: Tenant, space: Space, span: Span, now: datetime, reserve: bool = True, **rest: Any
) -> list[Charge]:
    """Book, use and charge a room."""
    code = f"BK{next(_number):05d}"
    quote = services.quote(tenant=tenant, space=space, span=span, now=now)
    if reserve:
        services.reserve(source=booking_source(code), tenant=tenant, quote=quote, now=now)
    plain: dict[str, Any] = {
        "booking_code": code,
        "tenant_id": tenant.pk,
        "space_id": space.pk,
        "span": span,
        "outcome": "completed",
        "quote": quote.as_json(),
    }
    return services.charge_booking(facts=BookingFacts(**plain | rest), now=now)
