"""Blackouts take time that nobody can have; what is in the way is named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.actors import Actor
from base_ops.core.errors import Forbidden
from base_ops.core.models import AuditEntry, Role, Space
from base_ops.core.spans import Span
from booking import selectors, services
from booking.domain.blackouts import Kind, State
from booking.models import Allocation, Blackout
from booking.services import blackouts, blocking
from booking.services.blackouts import BlackoutWish
from tests import make
from tests.booking import lets, world
from tests.booking.test_api import API, client, post

pytestmark = pytest.mark.usefixtures("prices")
NOW = datetime(2026, 9, 15, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TECHNICIAN = Actor(kind="user", id="0", label="tech@test.invalid", role=Role.TECHNICIAN)


def span(start_h: float, end_h: float) -> Span:
    """Hours from now."""
    return Span(NOW + start_h * HOUR, NOW + end_h * HOUR)


def made(space: Space, when: Span, **changes: Any) -> Blackout:
    plain: dict[str, Any] = {"kind": Kind.MAINTENANCE, "reason": "更换灯具"}
    wish = BlackoutWish(space=space, span=when, **plain | changes)
    return blackouts.create(wish=wish, actor=world.STAFF, now=NOW)


def blocks(row: Blackout) -> list[tuple[int, Span]]:
    rows = Allocation.objects.filter(blackout=row, active=True).order_by("unit")
    return [(a.unit, a.span) for a in rows]


def test_nobody_books_a_room_that_is_out_of_use_and_touching_is_free() -> None:
    space = world.studio()
    row = made(space, span(1.75, 4))

    with pytest.raises(services.SlotTaken):
        world.booked(now=NOW, space=space, start_min=210)
    world.booked(now=NOW, space=space, start_min=30)  # its teardown ends when that begins

    assert blocks(row) == [(0, span(1.75, 4))]


def test_what_is_in_the_way_is_named() -> None:
    space = world.studio()
    booking = world.booked(now=NOW, space=space)

    with pytest.raises(blocking.SpaceTaken) as refusal:
        made(space, span(0, 1))

    conflicts: Any = refusal.value.context["conflicts"]
    assert [(c["booking"], c["tenant"]) for c in conflicts] == [
        (booking.code, booking.tenant.code)
    ]


def test_of_a_divided_space_all_units_or_some() -> None:
    space = lets.desks(4)
    some = made(space, span(1, 2), units=(2, 3))
    with pytest.raises(blocking.SpaceTaken) as refusal:
        made(space, span(1, 2))
    whole = made(space, span(2, 3))

    assert [unit for unit, _ in blocks(some)] == [2, 3]
    assert [unit for unit, _ in blocks(whole)] == [1, 2, 3, 4]
    conflicts: Any = refusal.value.context["conflicts"]
    assert {c["blackout"] for c in conflicts} == {some.code}
    assert refusal.value.context["free_units"] == [1, 4]


def test_a_change_moves_what_is_taken_and_keeps_the_rest() -> None:
    space = world.studio()
    row = made(space, span(2, 4))

    blackouts.amend(blackout=row, span=span(3, 5), actor=world.STAFF, now=NOW)

    assert blocks(row) == [(0, span(3, 5))]
    row.refresh_from_db()
    assert (row.span, row.reason, row.version) == (span(3, 5), "更换灯具", 2)


def test_a_running_one_may_end_at_another_time_but_not_begin() -> None:
    row = made(world.studio(), span(0, 4))
    later = NOW + HOUR

    with pytest.raises(blackouts.BlackoutOver):
        blackouts.amend(blackout=row, span=span(2, 4), actor=world.STAFF, now=later)
    blackouts.amend(blackout=row, span=span(0, 6), actor=world.STAFF, now=later)

    assert blocks(row) == [(0, span(0, 6))]


def test_cancelling_gives_the_rest_back_and_keeps_what_was() -> None:
    space = world.studio()
    running, planned = made(space, span(0, 2)), made(space, span(3, 4))
    later = NOW + HOUR

    for row in (running, planned):
        blackouts.cancel(blackout=row, reason="提前完成", actor=world.STAFF, now=later)

    assert blocks(running) == [(0, span(0, 1))]
    assert blocks(planned) == []
    with pytest.raises(blackouts.BlackoutOver):
        blackouts.cancel(blackout=running, reason="x", actor=world.STAFF, now=later)


def test_where_it_stands_at_each_instant() -> None:
    row = made(world.studio(), span(1, 2))
    tick = timedelta(microseconds=1)

    states = [
        row.state(NOW + HOUR - tick),
        row.state(NOW + HOUR),
        row.state(NOW + 2 * HOUR - tick),
    ]

    assert states == [State.PLANNED, State.RUNNING, State.RUNNING]
    assert row.state(NOW + 2 * HOUR) is State.OVER


@pytest.mark.parametrize(
    ("when", "field"),
    [
        (span(-25, 1), "starts_at"),
        (span(-2, 0), "ends_at"),
        (span(1, 24 * 367 + 2), "ends_at"),
        (span(24 * 732, 24 * 733), "starts_at"),
    ],
)
def test_times_that_cannot_be_are_named(when: Span, field: str) -> None:
    with pytest.raises(blackouts.BlackoutRefused) as refusal:
        made(world.studio(), when)

    assert [f.name for f in refusal.value.fields] == [field]


def test_technicians_handle_maintenance_only() -> None:
    space = world.studio()
    wish = BlackoutWish(space, Kind.MAINTENANCE, span(1, 2), "检修")
    event = made(space, span(4, 5), kind=Kind.EVENT)

    row = blackouts.create(wish=wish, actor=TECHNICIAN, now=NOW)
    blackouts.cancel(blackout=row, reason="完成", actor=TECHNICIAN, now=NOW)

    refused: list[Callable[[], Blackout]] = [
        lambda: blackouts.create(
            wish=BlackoutWish(space, Kind.EVENT, span(2, 3), "x"), actor=TECHNICIAN, now=NOW
        ),
        lambda: blackouts.cancel(blackout=event, reason="x", actor=TECHNICIAN, now=NOW),
        lambda: blackouts.amend(blackout=event, reason="x", actor=TECHNICIAN, now=NOW),
        lambda: blackouts.create(wish=wish, actor=lets.FINANCE, now=NOW),
    ]
    for deed in refused:
        with pytest.raises(Forbidden):
            deed()


def test_who_did_what_and_why_is_on_record() -> None:
    row = made(world.studio(), span(1, 2))
    blackouts.cancel(blackout=row, reason="不需要了", actor=world.STAFF, now=NOW)

    entries = AuditEntry.objects.filter(object_type="blackout", object_code=row.code)

    found = entries.order_by("id").values_list("action", "actor_label", "after__why")
    assert list(found) == [
        ("blackout.create", world.STAFF.label, None),
        ("blackout.cancel", world.STAFF.label, "不需要了"),
    ]


def body(space: Space, **changes: Any) -> dict[str, Any]:
    start = clock.now() + HOUR
    return {
        "space": space.code,
        "kind": "maintenance",
        "starts_at": start.isoformat(),
        "ends_at": (start + HOUR).isoformat(),
        "reason": "检修",
    } | changes


@pytest.mark.django_db(transaction=True)
def test_create_list_edit_cancel_by_api() -> None:
    caller, space = client(make.user(Role.MANAGER)), lets.desks(3)
    row = post(caller, "/blackouts", body(space, units=[2])).json()
    path = f"/blackouts/{row['code']}"
    read = caller.get(API + path)

    listed = caller.get(f"{API}/blackouts", {"space": space.code}).json()["items"]
    stale = caller.patch(
        API + path, {"reason": "y"}, content_type="application/json", headers={"If-Match": '"9"'}
    )
    edited = caller.patch(
        API + path, {"units": [1, 3]}, content_type="application/json",
        headers={"If-Match": read["ETag"]},
    )  # fmt: skip
    taken = post(caller, "/blackouts", body(space, units=[3]))
    cancelled = post(caller, f"{path}/cancel", {"reason": "完成"})

    assert (row["units"], row["state"]) == ([2], "planned")
    assert [item["code"] for item in listed] == [row["code"]]
    assert (stale.status_code, edited.status_code) == (412, 200)
    assert (edited.json()["units"], edited["ETag"]) == ([1, 3], '"2"')
    assert (taken.status_code, taken.json()["conflicts"][0]["blackout"]) == (409, row["code"])
    assert cancelled.json()["state"] == "cancelled"
    assert caller.get(f"{API}/blackouts").json()["items"] == []


@pytest.mark.parametrize(
    ("role", "reads", "creates"),
    [
        (Role.MANAGER, 200, 201),
        (Role.ADMIN, 200, 201),
        (Role.TECHNICIAN, 200, 201),
        (Role.FINANCE, 200, 403),
        (Role.LIAISON, 403, 403),
        (Role.TENANT_ADMIN, 403, 403),
    ],
)
def test_roles(role: Role, reads: int, creates: int) -> None:
    caller = client(make.user(role))

    assert caller.get(f"{API}/blackouts").status_code == reads
    assert post(caller, "/blackouts", body(world.studio())).status_code == creates


def test_a_tenant_sees_only_busy() -> None:
    space = world.studio()
    wish = BlackoutWish(
        space, Kind.EVENT, Span(clock.now() + HOUR, clock.now() + 2 * HOUR), "秘密活动"
    )
    blackouts.create(wish=wish, actor=world.STAFF, now=clock.now())
    caller = client(make.user(Role.TENANT_MEMBER))
    window = {"from": clock.now().isoformat(), "to": (clock.now() + 3 * HOUR).isoformat()}

    lanes = caller.get(f"{API}/timeline", window).json()["lanes"]

    (block,) = next(lane for lane in lanes if lane["space"] == space.code)["blocks"]
    assert (block["kind"], block["title"]) == ("busy", None)
    assert selectors.blackouts().count() == 1
