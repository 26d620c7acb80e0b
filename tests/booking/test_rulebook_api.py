"""The rules over HTTP: who reads what, drafts checked, versions published, forms helped."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, Tenant
from booking.domain.grid import ceil_to_grid
from booking.domain.rulebook import standard
from tests import make
from tests.booking import world
from tests.booking.rulings import document, rule

pytestmark = pytest.mark.usefixtures("prices")
URL = "/api/v1/booking-rules"


def client(role: Role = Role.MANAGER, tenant: Tenant | None = None) -> Client:
    user = make.user(role, tenant=tenant) if tenant else make.user(role)
    token, _ = auth.new_token(user=user, name="t", now=clock.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def put(caller: Client, draft: Any, *, etag: str | None = '"1"', **more: Any) -> Any:
    headers = {} if etag is None else {"If-Match": etag}
    return caller.put(
        URL, {"document": draft, **more}, content_type="application/json", headers=headers
    )


def wish(space: str, tenant: str, **changes: Any) -> dict[str, Any]:
    start = ceil_to_grid(clock.now() + timedelta(days=2), 30)
    return {
        "space": space, "tenant": tenant, "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(), **changes,
    }  # fmt: skip


def post(caller: Client, path: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_staff_read_the_document_and_its_etag() -> None:
    answer = client(Role.TECHNICIAN).get(URL)

    assert (answer.status_code, answer["ETag"]) == (200, '"1"')
    assert answer.json()["document"] == standard.document()


def test_a_tenant_reads_only_what_concerns_it_and_nobody_elses_name() -> None:
    mine, other = make.tenant(), make.tenant()
    draft = document(
        rule("max_length", code="all", minutes=600),
        rule("max_length", code="theirs", scope={"tenants": [other.code]}, minutes=900),
        rule("max_length", code="ours", scope={"tenants": [mine.code, other.code]}, minutes=60),
    )
    assert put(client(), draft).status_code == 200

    answer = client(Role.TENANT_MEMBER, mine).get(URL)

    assert [r["code"] for r in answer.json()["rules"]] == ["all", "ours"]
    assert answer.json()["rules"][0]["text_zh"] == "最长时长:10 小时"
    assert other.code not in answer.content.decode()
    assert answer.json()["document"] is None


def test_publishing_needs_the_newest_version_and_keeps_the_old_ones() -> None:
    manager, draft = client(), document(rule("max_length", code="cap", minutes=60))

    assert put(manager, draft, etag=None).status_code == 428
    assert put(manager, draft, etag='"9"').status_code == 412
    answer = put(manager, draft, note="shorter")
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')
    assert put(manager, draft).status_code == 412
    versions = manager.get(f"{URL}/versions").json()
    assert [(v["version"], v["note"]) for v in versions] == [(2, "shorter"), (1, standard.NOTE)]


@pytest.mark.parametrize("role", [Role.TENANT_ADMIN, Role.FINANCE, Role.LIAISON])
def test_only_managers_publish_and_check(role: Role) -> None:
    caller = client(role)

    assert put(caller, document(rule("units"))).status_code == 403
    assert post(caller, "/booking-rules/check", {"document": {}}).status_code == 403


def test_a_faulty_document_is_refused_with_every_fault_and_path() -> None:
    answer = put(client(), document(rule("step", minutes=7), rule("nothing")))

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_rules")
    assert [f["path"] for f in answer.json()["faults"]] == [
        "$.rules[0].params.minutes", "$.rules[1].kind",
    ]  # fmt: skip


def test_rules_cannot_take_effect_in_the_past() -> None:
    past = (clock.now() - timedelta(hours=1)).isoformat()

    answer = put(client(), document(rule("units")), valid_from=past)

    assert answer.json()["code"] == "rules_in_the_past"


def test_a_draft_judges_a_wish_without_being_in_force() -> None:
    space, tenant, manager = world.studio(), make.tenant(), client()
    draft = document(rule("max_length", code="cap", minutes=60), rule("approval", code="ask"))
    asked = wish(space.code, tenant.code)

    answer = post(manager, "/booking-rules/check", {"document": draft, "wish": asked}).json()

    assert answer["faults"] == []
    assert [b["rule"] for b in answer["broken"]] == ["cap"]
    assert manager.get(URL).json()["version"] == 1


def test_a_form_learns_the_limits_of_one_space_before_it_is_sent() -> None:
    space, tenant = world.studio(), make.tenant()

    answer = client(Role.TENANT_MEMBER, tenant).get(f"{URL}/applicable?space={space.code}").json()

    figures = {r["kind"]: r["params"] for r in answer["rules"]}
    assert figures["step"] == {"minutes": 30}
    assert figures["min_length"] == {"minutes": 60}
    assert figures["capacity"] == {"people": 4}
    assert answer["needs_approval"] is False


def test_an_unknown_space_has_no_rules() -> None:
    answer = client(Role.TENANT_MEMBER).get(f"{URL}/applicable?space=nowhere")

    assert answer.json()["code"] == "unknown_space"


def test_a_booking_that_needs_approval_waits_for_the_base_and_freezes_the_rules() -> None:
    space, tenant, manager = world.studio(), make.tenant(), client()
    put(manager, document(rule("approval", code="ask")))
    member = client(Role.TENANT_MEMBER, tenant)
    body = wish(space.code, tenant.code)

    made = post(member, "/bookings", body | {"confirm": True}, "approve-0001").json()
    done = post(manager, f"/bookings/{made['code']}/confirm", {}, "approve-0002").json()

    assert (made["status"], made["approvals"], made["rules_version"]) == (
        "pending_approval", ["ask"], 2,
    )  # fmt: skip
    assert (done["status"], done["rules_version"]) == ("confirmed", 2)


def test_confirming_a_hold_that_needs_approval_is_a_request() -> None:
    space, tenant = world.studio(), make.tenant()
    put(client(), document(rule("approval", code="ask")))
    member = client(Role.TENANT_MEMBER, tenant)

    held = post(member, "/bookings", wish(space.code, tenant.code), "request-0001").json()
    asked = post(member, f"/bookings/{held['code']}/confirm", {}, "request-0002").json()

    assert (held["status"], asked["status"]) == ("held", "pending_approval")


def test_a_refusal_over_http_says_which_rule_of_which_version_and_a_manager_may_override() -> None:
    space, tenant, manager = world.studio(), make.tenant(), client()
    put(manager, document(rule("max_length", code="cap", by=["manager"], minutes=60)))
    body = wish(space.code, tenant.code)

    refused = post(client(Role.TENANT_MEMBER, tenant), "/bookings", body, "refused-0001")
    unheard = post(
        client(Role.TENANT_MEMBER, tenant), "/bookings", body | {"override": ["cap"]}, "refused-02"
    )
    made = post(manager, "/bookings", body | {"override": ["cap"]}, "refused-0003")

    (broken,) = refused.json()["broken"]
    assert (broken["rule"], broken["rules_version"], broken["overridable_by"]) == (
        "cap", 2, ["manager"],
    )  # fmt: skip
    assert unheard.status_code == 422
    assert (made.status_code, made.json()["waived"]) == (201, ["cap"])
