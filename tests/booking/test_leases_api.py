"""Leases through HTTP: who may see and do what, and how it is answered."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import clock
from base_ops.core.models import Role, Space, Tenant, User
from booking.domain import leases
from tests import make
from tests.booking import lets
from tests.booking.test_api import API, client, post

pytestmark = pytest.mark.usefixtures("prices")


def today() -> date:
    return leases.today(clock.now())


def wish(space: Space, tenant: Tenant, **changes: Any) -> dict[str, Any]:
    """Three months from the day after tomorrow."""
    first = today() + timedelta(days=2)
    return {
        "space": space.code,
        "tenant": tenant.code,
        "starts_on": first.isoformat(),
        "months": 3,
    } | changes


@pytest.fixture
def finance(db: None) -> Client:
    return client(make.user(Role.FINANCE))


@pytest.fixture
def member(db: None) -> User:
    return make.user(Role.TENANT_MEMBER)


def tenant_of(user: User) -> Tenant:
    assert user.tenant is not None
    return user.tenant


def test_quote_draft_edit_sign_renew_terminate(finance: Client, member: User) -> None:
    space, tenant = lets.desks(6), tenant_of(member)
    asked = wish(space, tenant, units=[2, 3])

    quote = finance.post(f"{API}/leases/quote", asked, content_type="application/json").json()
    draft = post(finance, "/leases", asked)
    path = f"/leases/{draft.json()['code']}"
    read = finance.get(API + path)
    edited = finance.put(
        API + path, asked | {"units": [4]}, content_type="application/json",
        headers={"If-Match": read["ETag"]},
    )  # fmt: skip
    signed = post(finance, f"{path}/sign")
    renewed = post(finance, f"{path}/renew", {"months": 1, "monthly_rent_fen": 55_000})
    withdrawn = post(finance, f"/leases/{renewed.json()['code']}/withdraw", {"reason": "撤回"})
    last = (today() + timedelta(days=40)).isoformat()
    over = post(
        finance, f"{path}/terminate", {"last_day": last, "reason": "搬迁", "by_agreement": True}
    )

    assert (quote["monthly_rent_fen"], quote["units"], quote["conflicts"]) == (100_000, [2, 3], [])
    assert len(quote["months"]) in (3, 4)
    assert (draft.status_code, draft.json()["status"]) == (201, "draft")
    assert (edited.status_code, edited.json()["units"], edited["ETag"]) == (200, [4], '"2"')
    assert (signed.json()["status"], signed.json()["units"]) == ("signed", [4])
    assert (renewed.status_code, renewed.json()["renews"]) == (201, draft.json()["code"])
    assert withdrawn.json()["status"] == "withdrawn"
    assert (over.status_code, over.json()["status"], over.json()["last_day"]) == (
        200, "noticed", last,
    )  # fmt: skip
    assert over.json()["possible"] == ["terminate"]


def test_an_edit_says_which_version_it_saw(finance: Client, member: User) -> None:
    asked = wish(lets.desks(6), tenant_of(member))
    path = f"{API}/leases/{post(finance, '/leases', asked).json()['code']}"

    answers = [
        finance.put(path, asked, content_type="application/json", headers=headers)
        for headers in ({}, {"If-Match": '"7"'})
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (428, "if_match_required"),
        (412, "changed_meanwhile"),
    ]


@pytest.mark.django_db(transaction=True)
def test_what_is_in_the_way_is_named_and_nothing_is_left_behind(
    finance: Client, member: User
) -> None:
    space = lets.desks(3)
    first = post(finance, "/leases", wish(space, tenant_of(member), units=[1], sign=True)).json()

    refused = post(finance, "/leases", wish(space, make.tenant(), units=[1, 2], sign=True))

    body = refused.json()
    assert (refused.status_code, body["code"]) == (409, "space_taken")
    assert [(c["unit"], c["lease"]) for c in body["conflicts"]] == [(1, first["code"])]
    assert body["free_units"] == [2, 3]
    assert len(finance.get(f"{API}/leases").json()["items"]) == 1


def test_a_tenant_sees_its_own_leases_and_changes_none(finance: Client, member: User) -> None:
    own = post(finance, "/leases", wish(lets.studio(), tenant_of(member), sign=True)).json()
    other = post(finance, "/leases", wish(lets.studio(), make.tenant(), sign=True)).json()
    caller = client(member)

    listed = caller.get(f"{API}/leases").json()["items"]
    foreign = caller.get(f"{API}/leases/{other['code']}")
    unknown = caller.get(f"{API}/leases/LSNONE")

    assert [row["code"] for row in listed] == [own["code"]]
    assert caller.get(f"{API}/leases/{own['code']}").status_code == 200
    assert (foreign.status_code, foreign.json()["code"]) == (404, "lease_not_found")
    assert foreign.json()["title_zh"] == unknown.json()["title_zh"]
    for deed in ("sign", "renew", "terminate", "withdraw", "deposit/received"):
        body = {"last_day": str(today()), "reason": "x", "amount_fen": 1, "on": str(today())}
        answer = post(caller, f"/leases/{own['code']}/{deed}", body)
        assert answer.status_code == 403, deed
    assert post(caller, "/leases", wish(lets.studio(), tenant_of(member))).status_code == 403


@pytest.mark.parametrize(
    ("role", "seen", "made"),
    [
        (Role.FINANCE, 200, 201),
        (Role.MANAGER, 200, 201),
        (Role.ADMIN, 200, 201),
        (Role.TECHNICIAN, 403, 403),
        (Role.LIAISON, 403, 403),
    ],
)
def test_roles(role: Role, seen: int, made: int) -> None:
    caller = client(make.user(role))

    assert caller.get(f"{API}/leases").status_code == seen
    assert post(caller, "/leases", wish(lets.studio(), make.tenant())).status_code == made


def test_deposits_are_finances_to_mark(finance: Client, member: User) -> None:
    lease = post(finance, "/leases", wish(lets.studio(), tenant_of(member), sign=True)).json()
    path, mark = f"/leases/{lease['code']}/deposit", {"amount_fen": 5, "on": str(today())}

    received = post(finance, f"{path}/received", mark)
    early = post(finance, f"{path}/returned", mark)
    manager = post(client(make.user(Role.MANAGER)), f"{path}/received", mark)
    future = post(finance, f"{path}/received", mark | {"on": str(today() + timedelta(days=1))})

    assert received.json()["deposit_received_fen"] == 5
    assert (early.status_code, early.json()["code"]) == (409, "deposit_still_held")
    assert manager.status_code == 403
    assert (future.status_code, future.json()["fields"][0]["name"]) == (422, "on")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"months": None}, "invalid"),
        ({"last_day": "2099-01-01"}, "invalid"),
        ({"space": "NONE"}, "unknown_space"),
        ({"tenant": "NONE"}, "unknown_tenant"),
        ({"units": [9]}, "unknown_units"),
        ({"unit_count": 9}, "lease_refused"),
        ({"starts_on": "1999-01-01"}, "invalid"),
        ({"starts_on": "2020-01-01"}, "lease_refused"),
    ],
)
def test_refusals_name_the_field(
    finance: Client, member: User, changes: dict[str, Any], code: str
) -> None:
    answer = post(finance, "/leases", wish(lets.desks(3), tenant_of(member)) | changes)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["fields"]


def test_the_same_request_again_makes_one_lease(finance: Client, member: User) -> None:
    asked = wish(lets.studio(), tenant_of(member), sign=True)

    one, two = (post(finance, "/leases", asked, key="lease-once-1") for _ in range(2))

    assert one.json() == two.json()
    assert two["Idempotency-Replayed"] == "true"
