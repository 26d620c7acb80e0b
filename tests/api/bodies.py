"""Requests that make sense where fields depend on each other, or on what state a thing is in.

Most operations need none: known.py and grounding.py find their values. What is here is sent half
of the time; the rest stays as generated.
"""

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from PIL import Image

from base_ops.core.models.notices import Delivery
from base_ops.core.months import add_months, first_of
from base_ops.core.spans import Span
from booking import services as booking
from booking.domain.blackouts import Kind
from booking.domain.grid import ZONE
from booking.domain.rulebook import standard
from booking.models import (
    Booking,
    Handover,
    HandoverPhoto,
    Series,
    WaitlistEntry,
)
from booking.services import blackouts, doors, handovers, leasing
from booking.services import series as repeating
from devices.models import SceneRun
from tests.api.known import Known
from tests.api.world import World
from tests.booking import lets
from tests.booking import series_world as repeated

Body = dict[str, Any]
HOUR = timedelta(hours=1)
STAMP = "%Y%m%dT%H%M%SZ"
_turns = itertools.count()


@dataclass(frozen=True, slots=True)
class Request:
    """What is put into a case; what is None or empty stays as it was generated."""

    body: Body | bytes | None = None
    path: Body = field(default_factory=dict)
    query: Body = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = ""


def _day(world: World, ahead: int) -> str:
    return (world.moment.at + timedelta(days=ahead)).date().isoformat()


def _hour(world: World) -> datetime:
    """An hour of the next weeks that nobody was given yet."""
    first = world.moment.at.replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    return first + 2 * HOUR * (next(_turns) % 240)


def _times(world: World) -> Body:
    start = _hour(world)
    return {"starts_at": start.isoformat(), "ends_at": (start + HOUR).isoformat()}


def _ours(world: World, *statuses: str, **more: Any) -> Body:
    """The path to a booking of tenant A in one of these states; to nothing when there is none."""
    rows = Booking.objects.filter(tenant=world.mine, status__in=statuses, **more)
    found = rows.order_by("-pk").values_list("code", flat=True).first()
    return {"code": found} if found else {}


def _ahead(world: World, *statuses: str) -> Body:
    return _ours(world, *statuses, starts_at__gt=world.moment.at)


def lease(world: World, known: Known) -> Body:
    """A desk for some months."""
    return {
        "space": world.desks.code,
        "tenant": known.field("tenant") or world.mine.code,
        "starts_on": _day(world, 3),
        "months": 3,
        "unit_count": 1,
    }


def terminate(world: World, _: Known) -> Body:
    """Soon, by agreement."""
    return {"last_day": _day(world, 40), "reason": "搬迁", "by_agreement": True}


def deposit(world: World, _: Known) -> Body:
    """A yuan, today."""
    return {"amount_fen": 100, "on": _day(world, 0), "note": "押金"}


def endpoint(_: World, known: Known) -> Body:
    """A webhook on the internet, which nobody calls here."""
    return {"kind": "webhook", "name": "Orders", "url": "https://hooks.example.org/in?t=1"}


def year(_: World, __: Known) -> Body:
    """A year with one holiday."""
    new_year = {"first": "2027-01-01", "last": "2027-01-03", "zh": "元旦"}
    return {"announced": True, "breaks": [new_year], "make_up_days": []}


def wish(world: World, known: Known) -> Body:
    """Kept as a draft, held, or taken at once."""
    kinds: tuple[Body, ...] = ({"draft": True}, {}, {"confirm": True})
    space = world.spaces[next(_turns) % len(world.spaces)]
    more = {"tenant": world.mine.code, "headcount": 1, "purpose": "live_sales"}
    return {"space": space.code} | _times(world) | more | kinds[next(_turns) % 3]


def series(world: World, known: Known) -> Body:
    """Three days in a row, as many of them as are free."""
    plain = wish(world, known)
    return {n: v for n, v in plain.items() if n not in ("draft", "confirm")} | {
        "rrule": "FREQ=DAILY;COUNT=3",
        "mode": "skip",
    }


def instance(world: World, body: Body) -> Request:
    """About a date of a series of tenant A that has its booking ahead."""
    row, date = _daily(world)
    path = {"code": row.code, "instance": f"{date:{STAMP}}"}
    return Request(body, path, headers={"If-Match": "*"})


def _daily(world: World) -> tuple[Series, datetime]:
    """A new series in a room of its own, and its second date."""
    first = world.moment.at.replace(minute=0, second=0, microsecond=0) + timedelta(days=5)
    asked = repeated.wish(world.room_now(), world.mine, first, rrule="FREQ=DAILY;COUNT=3")
    return repeated.create(asked, world.moment.at).series, first + timedelta(days=1)


def skipped(world: World, _: Known) -> Request:
    """A date that was just given back and lies ahead."""
    row, date = _daily(world)
    repeating.cancel(
        series=row, recurrence_id=date, scope="this", reason="停播",
        actor=world.users["manager"].actor, now=world.moment.at,
    )  # fmt: skip
    path = {"code": row.code, "instance": f"{date:{STAMP}}"}
    return Request({}, path, headers={"If-Match": "*"})


def whole_series(world: World, _: Known) -> Request:
    """One that has bookings ahead."""
    rows = Series.objects.filter(
        tenant=world.mine, bookings__status="confirmed", bookings__starts_at__gt=world.moment.at
    )
    found = rows.order_by("-pk").values_list("code", flat=True).first()
    path = {"code": found} if found else {}
    return Request({"reason": "停播"}, path, headers={"If-Match": "*"})


def file(world: World, _: Known) -> Request:
    """One row of a table."""
    start = _hour(world).astimezone(ZONE)
    space = world.spaces[next(_turns) % len(world.spaces)].code
    lines = [
        "空间,日期,开始,结束,标题,人数",
        f"{space},{start:%Y-%m-%d,%H:%M},{start + HOUR:%H:%M},播,1",
    ]
    query = {"format": "csv", "mode": "skip", "tenant": world.mine.code}
    return Request("\r\n".join([*lines, ""]).encode(), query=query, media_type="text/csv")


def blackout(world: World, _: Known) -> Body:
    """An hour of repairs that nobody has booked."""
    space = world.spaces[next(_turns) % len(world.spaces)].code
    return {"space": space, "kind": "maintenance", "reason": "检修"} | _times(world)


def _blackout(world: World) -> Body:
    """The path to one that lies ahead, in a room of its own."""
    start = _hour(world)
    wish = blackouts.BlackoutWish(
        world.room_now(), Kind.MAINTENANCE, Span(start, start + HOUR), "检修"
    )
    row = blackouts.create(wish=wish, actor=world.users["manager"].actor, now=world.moment.at)
    return {"code": row.code}


def _beginning(world: World) -> Booking:
    rows = Booking.objects.filter(tenant=world.mine, status="confirmed")
    return rows.filter(starts_at=world.half_hour()).first() or world.booking_now()


def at_the_door(world: World, _: Known) -> Request:
    """What the door of its room shows."""
    space = _beginning(world).space
    return Request({"token": doors.door_code(space=space, now=world.moment.at)["token"]})


def arriving(world: World, _: Known) -> Request:
    """Staff let it in."""
    return Request({}, {"code": world.booking_now().code})


def _within(world: World) -> Booking:
    """A booking of tenant A that is checked in."""
    found = Booking.objects.filter(tenant=world.mine, status="checked_in").order_by("-pk").first()
    return found or booking.check_in(
        booking=world.booking_now(), actor=world.users["manager"].actor, now=world.moment.at
    )


def draft(world: World, _: Known) -> Request:
    """One whose room is free."""
    start = _hour(world)
    row = booking.draft(
        wish=booking.BookingWish(
            space=world.room_now(), tenant=world.mine, span=Span(start, start + HOUR)
        ),
        actor=world.users["manager"].actor, now=world.moment.at,
    )  # fmt: skip
    return Request({}, {"code": row.code})


def move(world: World, _: Known) -> Request:
    """To another time."""
    body = {"starts_at": _hour(world).isoformat()}
    return Request(body, _ahead(world, "held", "confirmed"), headers={"If-Match": "*"})


def noted(world: World, _: Known) -> Request:
    """Something is broken in the room that somebody uses."""
    since = world.moment.at - 20 * HOUR
    path = _ours(world, "checked_in") or _ours(world, "completed", ended_at__gt=since)
    return Request({"notes": "灯坏", "problem": True}, path)


def settled(world: World, _: Known) -> Request:
    """A problem that waits."""
    rows = Handover.objects.filter(problem=True, settled_at=None)
    found = rows.order_by("-pk").values_list("booking__code", flat=True).first()
    return Request({"note": "换灯"}, {"code": found} if found else {})


def photo(world: World, _: Known) -> Request:
    """One that somebody took of tenant A's room."""
    rows = HandoverPhoto.objects.filter(handover__booking__tenant=world.mine)
    one = rows.select_related("handover__booking").order_by("-pk").first()
    one = one or handovers.add_photo(
        booking=_within(world), data=_pixels(), actor=world.users["manager"].actor,
        now=world.moment.at,
    )  # fmt: skip
    return Request(path={"code": one.handover.booking.code, "number": one.number})


def new_photo(world: World, _: Known) -> Request:
    """Of the room that somebody uses."""
    return Request(_pixels(), {"code": _within(world).code}, media_type="image/png")


def _pixels() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def scene_run(world: World, _: Known) -> Request:
    """One that ran."""
    found = SceneRun.objects.order_by("-created_at").values_list("id", flat=True).first()
    return Request(path={"id": found} if found else {})


def dead(world: World, _: Known) -> Request:
    """A message that could not be delivered."""
    rows = Delivery.objects.filter(status="dead", endpoint__removed_at=None)
    found = rows.order_by("-pk").values_list("pk", flat=True).first()
    return Request(path={"delivery_id": found} if found else {})


def figures(world: World, _: Known) -> Request:
    """The month before this one."""
    this = first_of(world.moment.at.date())
    query = {"from": add_months(this, -1).isoformat(), "to": this.isoformat(), "by": "total"}
    return Request(query=query)


def waiting(world: World, _: Known) -> Request:
    """An entry for a time that is taken."""
    row = WaitlistEntry.objects.create(
        code=f"WLFUZZ{next(_turns):06d}", tenant=world.mine, space=world.room_now(),
        purpose="live_sales", created_at=world.moment.at, **_times(world),
    )  # fmt: skip
    return Request({}, {"code": row.code})


def rules(world: World, _: Known) -> Body:
    """The standard ones, once more."""
    return {"document": standard.document(), "note": "复核"}


def _desk(world: World, *, sign: bool) -> Body:
    """The path to a lease of a desk from next week on, in force or a draft."""
    start = world.moment.at.date() + timedelta(days=7)
    wish: Body = {"tenant": world.mine, "unit_count": 1, "starts_on": start}
    wish["ends_on"] = start + timedelta(days=90)
    now = world.moment.at
    if sign:
        return {"code": lets.signed(lets.desks(1), now=now, **wish).code}
    asked = lets.wish(lets.desks(1), **wish)
    return {"code": leasing.draft(wish=asked, actor=lets.FINANCE, now=now).code}


def _of(make: Callable[[World, Known], Body]) -> Callable[[World, Known], Request]:
    return lambda world, known: Request(make(world, known))


def _on(body: Body, *statuses: str, ahead: bool = True) -> Callable[[World, Known], Request]:
    """This body about a booking of tenant A in such a state."""
    find = _ahead if ahead else _ours
    return lambda world, _: Request(body, find(world, *statuses))


API = "/api/v1"
REQUESTS: dict[str, Callable[[World, Known], Request]] = {
    f"POST {API}/bookings": _of(wish),
    f"POST {API}/bookings/{{code}}/approve": _on({}, "pending_approval"),
    f"POST {API}/bookings/{{code}}/reject": _on({"reason": "设备检修"}, "pending_approval"),
    f"POST {API}/bookings/{{code}}/release": _on({"reason": "基地原因"}, "confirmed"),
    f"POST {API}/bookings/{{code}}/hold": draft,
    f"POST {API}/bookings/{{code}}/move": move,
    f"POST {API}/bookings/{{code}}/check-out": _on({}, "checked_in", ahead=False),
    f"POST {API}/bookings/{{code}}/handover": noted,
    f"POST {API}/bookings/{{code}}/handover/settle": settled,
    f"GET {API}/bookings/{{code}}/handover/photos/{{number}}": photo,
    f"GET {API}/bookings/{{code}}/handover/photos/{{number}}/thumbnail": photo,
    f"POST {API}/bookings/{{code}}/check-in": arriving,
    f"POST {API}/bookings/{{code}}/handover/photos": new_photo,
    f"POST {API}/check-in": at_the_door,
    f"POST {API}/series": _of(series),
    f"POST {API}/series/dry-run": _of(series),
    f"POST {API}/series/{{code}}/cancel": whole_series,
    f"PATCH {API}/series/{{code}}/instances/{{instance}}": (
        lambda world, _: instance(world, {"scope": "this", "title": "加场"})
    ),
    f"POST {API}/series/{{code}}/instances/{{instance}}/cancel": (
        lambda world, _: instance(world, {"scope": "this", "reason": "停播"})
    ),
    f"POST {API}/series/{{code}}/instances/{{instance}}/add-again": skipped,
    f"POST {API}/booking-imports": file,
    f"POST {API}/booking-imports/dry-run": file,
    f"POST {API}/blackouts": _of(blackout),
    f"GET {API}/blackouts/{{code}}": lambda world, _: Request(path=_blackout(world)),
    f"PATCH {API}/blackouts/{{code}}": (
        lambda world, _: Request({"reason": "改期检修"}, _blackout(world))
    ),
    f"POST {API}/blackouts/{{code}}/cancel": (
        lambda world, _: Request({"reason": "已修好"}, _blackout(world))
    ),
    f"GET {API}/figures/booking": figures,
    f"POST {API}/waitlist/{{code}}/cancel": waiting,
    f"PUT {API}/booking-rules": _of(rules),
    f"GET {API}/scene-runs/{{id}}": scene_run,
    f"POST {API}/notification-deliveries/{{delivery_id}}/resend": dead,
    f"POST {API}/leases": _of(lease),
    f"POST {API}/leases/quote": _of(lease),
    f"PUT {API}/leases/{{code}}": (
        lambda world, known: Request(lease(world, known), _desk(world, sign=False))
    ),
    f"POST {API}/leases/{{code}}/terminate": (
        lambda world, known: Request(terminate(world, known), _desk(world, sign=True))
    ),
    f"POST {API}/leases/{{code}}/withdraw": lambda *_: Request({"reason": "撤回"}),
    f"POST {API}/leases/{{code}}/renew": (
        lambda world, _: Request({"months": 2}, _desk(world, sign=True))
    ),
    f"POST {API}/leases/{{code}}/deposit/received": _of(deposit),
    f"POST {API}/leases/{{code}}/deposit/returned": _of(deposit),
    f"POST {API}/notification-endpoints": _of(endpoint),
    f"PATCH {API}/notification-endpoints/{{code}}": (
        lambda *_: Request({"name": "Bills", "active": True})
    ),
    f"PUT {API}/workdays/{{year}}": (
        lambda world, known: Request(year(world, known), {"year": 2027})
    ),
}
