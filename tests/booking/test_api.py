"""The booking endpoints through HTTP: who may see and do what, and how it is answered."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock, live
from base_ops.core.models import Role, Space, Tenant, User
from base_ops.core.spans import Span
from billing.models import Budget
from booking.domain import rules
from booking.domain.rules import ceil_to_grid
from booking.models import Booking
from booking.services import BookingWish, making, wishes
from tests import make
from tests.billing.world import room
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
_keys = itertools.count(1)
API = "/api/v1"


def client(user: User) -> Client:
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def post(caller: Client, path: str, body: Any = None, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key or f"key-{next(_keys):08d}"}
    return caller.post(
        API + path, body if body is not None else {}, content_type="application/json",
        headers=headers,
    )  # fmt: skip


def wish(space: Space, *, hours: float = 2, **changes: Any) -> dict[str, Any]:
    """An hour that starts so many hours from now, on the grid."""
    start = ceil_to_grid(clock.now() + timedelta(hours=hours), 30)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    return {"space": space.code, "headcount": 2} | times | changes


def tenant_code(user: User) -> str:
    assert user.tenant is not None
    return user.tenant.code


def window(asked: dict[str, Any]) -> dict[str, str]:
    return {"from": asked["starts_at"], "to": asked["ends_at"]}


@pytest.fixture
def member() -> User:
    return make.user(Role.TENANT_MEMBER)


def test_search_quote_hold_confirm(member: User) -> None:
    space, caller = world.studio(), client(member)
    asked = wish(space)

    found = caller.get(f"{API}/availability", window(asked)).json()["items"]
    quote = caller.post(f"{API}/quotes", asked, content_type="application/json").json()
    held = post(caller, "/bookings", asked | {"quote_token": quote["token"]})
    code = held.json()["code"]
    confirmed = post(caller, f"/bookings/{code}/confirm")

    row = next(i for i in found if i["space"] == space.code)
    assert row["free"]
    assert row["price_fen"] == quote["quote"]["total_fen"] == held.json()["price_fen"]
    assert (held.status_code, held.json()["status"]) == (201, "held")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
    assert confirmed.json()["possible"] == ["check_in", "cancel"]


def test_a_busy_room_says_when_it_is_free_next(member: User) -> None:
    space, caller = world.studio(), client(member)
    asked = wish(space)
    post(caller, "/bookings", asked)

    found = caller.get(f"{API}/availability", window(asked)).json()["items"]

    row = next(i for i in found if i["space"] == space.code)
    assert not row["free"]
    assert row["next_free_at"] > asked["starts_at"]


def test_the_same_key_books_once_and_answers_the_same(member: User) -> None:
    caller, asked = client(member), wish(world.studio())

    one, two = (post(caller, "/bookings", asked, key="the-same-key") for _ in range(2))
    other = post(caller, "/bookings", asked | {"headcount": 1}, key="the-same-key")

    assert one.json() == two.json()
    assert two["Idempotency-Replayed"] == "true"
    assert other.json()["code"] == "key_reused"
    assert Booking.objects.count() == 1


def test_a_taken_slot_is_a_problem_with_alternatives_and_no_names(member: User) -> None:
    space = world.studio()
    rival = client(make.user(Role.TENANT_MEMBER))
    post(rival, "/bookings", wish(space))

    answer = post(client(member), "/bookings", wish(space))

    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
    assert answer["Content-Type"] == "application/problem+json"
    assert {c["kind"] for c in answer.json()["conflicts"]} == {"busy"}
    assert answer.json()["alternatives"]


def test_a_refusal_lists_every_broken_rule_by_field(member: User) -> None:
    space = world.studio()

    answer = post(client(member), "/bookings", wish(space, headcount=9, units=3)).json()

    assert answer["code"] == "rules_broken"
    assert [f["name"] for f in answer["fields"]] == ["headcount", "units"]
    assert [b["rule"] for b in answer["broken"]] == ["capacity", "units"]


def test_a_tenants_override_is_not_heard_but_a_managers_is(member: User) -> None:
    space = world.studio()
    start = ceil_to_grid(clock.now() + timedelta(hours=2), 30) + timedelta(minutes=5)
    asked = {
        "space": space.code,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=1)).isoformat(),
        "override": ["slot_grid"],
    }

    refused = post(client(member), "/bookings", asked)
    assert member.tenant is not None
    manager = client(make.user(Role.MANAGER))
    allowed = post(manager, "/bookings", asked | {"tenant": member.tenant.code})

    assert (refused.status_code, allowed.status_code) == (422, 201)


def test_editing_needs_the_version_that_was_read(member: User) -> None:
    caller = client(member)
    code = post(caller, "/bookings", wish(world.studio())).json()["code"]
    path = f"{API}/bookings/{code}"
    etag = caller.get(path)["ETag"]

    def patch(headers: dict[str, str]) -> Any:
        return caller.patch(
            path, {"title": "新标题"}, content_type="application/json", headers=headers
        )

    assert [
        patch(headers).status_code for headers in ({}, {"If-Match": etag}, {"If-Match": etag})
    ] == [428, 200, 412]


def test_other_tenants_bookings_do_not_exist(member: User) -> None:
    owner = client(make.user(Role.TENANT_ADMIN))
    code = post(owner, "/bookings", wish(world.studio())).json()["code"]
    stranger = client(member)

    answers = [
        stranger.get(f"{API}/bookings/{code}"),
        stranger.get(f"{API}/bookings/{code}/check-in-code"),
        *(
            post(stranger, f"/bookings/{code}/{deed}")
            for deed in ("confirm", "cancel", "check-out")
        ),
        post(stranger, f"/bookings/{code}/check-in", {"pin": "000000"}),
    ]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "booking_not_found")}
    assert stranger.get(f"{API}/bookings").json()["items"] == []
    assert len(owner.get(f"{API}/bookings").json()["items"]) == 1


def test_the_timeline_names_only_ones_own(member: User) -> None:
    space = world.studio()
    owner = make.user(Role.TENANT_ADMIN)
    asked = wish(space)
    post(client(owner), "/bookings", asked)
    see: Callable[[User], dict[str, Any]] = lambda user: next(  # noqa: E731
        lane["blocks"][0]
        for lane in client(user).get(f"{API}/timeline", window(asked)).json()["lanes"]
        if lane["space"] == space.code
    )

    assert owner.tenant is not None
    assert see(owner)["tenant"]["code"] == owner.tenant.code
    assert see(make.user(Role.MANAGER))["tenant"]["code"] == owner.tenant.code
    for other in (member, make.user(Role.LIAISON)):
        block = see(other)
        assert block["kind"] == "busy"
        assert {block[k] for k in ("booking", "title", "status", "starts_at")} == {None}
        assert block["tenant"] is None


def test_lists_page_by_cursor_without_loss_or_repeat(member: User) -> None:
    caller, space = client(member), world.studio()
    for hours in range(2, 14, 2):
        assert post(caller, "/bookings", wish(space, hours=hours)).status_code == 201

    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"limit": "2", "ascending": "true"} | ({"cursor": cursor} if cursor else {})
        page = caller.get(f"{API}/bookings", query).json()
        seen += [item["starts_at"] for item in page["items"]]
        cursor = page["next"]

    assert len(seen) == len(set(seen)) == 6
    assert seen == sorted(seen)
    assert cursor is None


def test_check_in_by_the_code_that_the_tenant_shows(member: User) -> None:
    caller = client(member)
    now = clock.now()
    booking = world.booked(now=now, tenant=member.tenant, start_min=1, override={"slot_grid"})
    code = caller.get(f"{API}/bookings/{booking.code}/check-in-code").json()

    inside = post(caller, f"/bookings/{booking.code}/check-in", {"token": code["token"]})
    out = post(caller, f"/bookings/{booking.code}/check-out")

    assert (inside.status_code, inside.json()["status"]) == (200, "checked_in")
    assert (out.status_code, out.json()["status"]) == (200, "completed")


@pytest.mark.parametrize(
    ("role", "book", "see"),
    [
        (Role.MANAGER, 422, 200),  # 422: the base names a tenant
        (Role.ADMIN, 422, 200),
        (Role.TECHNICIAN, 403, 200),
        (Role.FINANCE, 403, 200),
        (Role.LIAISON, 403, 403),
    ],
)
def test_what_each_role_may(role: Role, book: int, see: int) -> None:
    caller = client(make.user(role))

    answers = (post(caller, "/bookings", wish(world.studio())), caller.get(f"{API}/bookings"))

    assert [a.status_code for a in answers] == [book, see]


def test_each_role_has_its_view_of_the_floor_and_no_other(member: User) -> None:
    world.studio()
    assert member.tenant is not None
    own = f"occ.tenant.{member.tenant.code}"
    views = {
        member: own,
        make.user(Role.MANAGER): "occ.ops",
        make.user(Role.FINANCE): "occ.public",
        make.user(Role.LIAISON): "occ.gov",
    }

    topics = {u: client(u).get(f"{API}/occupancy").json()["topic"] for u in views}

    assert topics == views
    assert all(live.allowed(user, topic) for user, topic in views.items())
    assert not live.allowed(member, "occ.ops")
    assert not live.allowed(make.user(Role.TENANT_ADMIN), own)
    assert not live.allowed(make.user(Role.MANAGER), own)


def test_money_is_for_tenant_and_finance_and_the_manager_sees_the_total_before_booking(
    member: User,
) -> None:
    space, manager = world.studio(), client(make.user(Role.MANAGER))
    asked = wish(space, tenant=tenant_code(member))

    quote = manager.post(f"{API}/quotes", asked, content_type="application/json").json()
    booked = post(manager, "/bookings", asked | {"quote_token": quote["token"]}).json()

    assert quote["quote"]["total_fen"] > 0
    assert (booked["price_fen"], booked["quote"]) == (None, None)
    path = f"{API}/bookings/{booked['code']}"
    for reader in (member, make.user(Role.FINANCE), make.user(Role.ADMIN)):
        seen = client(reader).get(path).json()
        assert seen["price_fen"] == seen["quote"]["total_fen"] == quote["quote"]["total_fen"]
    assert client(make.user(Role.TECHNICIAN)).get(path).json()["price_fen"] is None


def test_a_suspended_tenant_is_told_why_before_and_at_booking(member: User) -> None:
    space, caller = world.studio(), client(member)
    Tenant.objects.filter(code=tenant_code(member)).update(compliance_rating="D")

    quoted = caller.post(f"{API}/quotes", wish(space), content_type="application/json")
    booked = post(caller, "/bookings", wish(space))

    for answer in (quoted, booked):
        assert answer.status_code == 422
        assert answer.json()["broken"][0]["rule"] == "suspended"
        assert answer.json()["fields"][0]["reason_zh"]


def test_a_discount_that_others_used_up_meanwhile_is_a_clear_problem(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, caller = room("studio_single"), client(member)
    Tenant.objects.filter(code=tenant_code(member)).update(
        registered_in_panyu=True, joined_on=clock.now().date(), category="brand"
    )
    morning = (clock.now().astimezone(rules.ZONE) + timedelta(days=2)).replace(
        hour=10, minute=0, second=0, microsecond=0
    )
    times = {"starts_at": morning, "ends_at": morning + timedelta(hours=1)}
    asked = wish(space) | {name: at.isoformat() for name, at in times.items()}
    quote = wishes.price(
        BookingWish(
            space=space,
            tenant=Tenant.objects.get(code=tenant_code(member)),
            span=Span(*times.values()),
        ),
        now=clock.now(),
    )
    given_now = [v for v in quote.policies if v.amount_fen]
    assert given_now, [(v.code, v.reason_en) for v in quote.policies]
    # A rival commits between our look and our claim: what was seen is the older price.
    monkeypatch.setattr(making, "ask_price", lambda _: SimpleNamespace(quote=lambda: quote))
    Budget.objects.update_or_create(
        policy_code=given_now[0].code,
        year=int(quote.day[:4]),
        defaults={"limit_fen": 0, "reserved_fen": 0, "committed_fen": 0},
    )

    answer = post(caller, "/bookings", asked)

    assert answer.status_code == 409
    assert answer.json()["code"] == "budget_used_up"
    assert answer.json()["policy"] == given_now[0].code


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.MANAGER, 200),
        (Role.FINANCE, 200),
        (Role.ADMIN, 200),
        (Role.TECHNICIAN, 403),
        (Role.LIAISON, 403),
    ],
)
def test_a_tenants_prices_are_for_who_handles_money(member: User, role: Role, status: int) -> None:
    space, caller = world.studio(), client(make.user(role))
    when = window(wish(space))

    named = caller.get(f"{API}/availability", when | {"tenant": tenant_code(member)})
    nobody = caller.get(f"{API}/availability", when).json()["items"]

    assert named.status_code == status
    assert {(i["list_fen"], i["price_fen"]) for i in nobody} == {(None, None)}


def test_the_cost_of_cancelling_is_not_for_technicians(member: User) -> None:
    code = post(client(member), "/bookings", wish(world.studio())).json()["code"]
    path = f"{API}/bookings/{code}/cancellation"

    seen = {
        role: client(make.user(role)).get(path).status_code
        for role in (Role.MANAGER, Role.FINANCE, Role.TECHNICIAN, Role.LIAISON)
    }

    assert client(member).get(path).status_code == 200
    assert list(seen.values()) == [200, 200, 403, 403]
