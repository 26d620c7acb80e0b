"""Policies and budgets through the API: checked, saved, in force, withdrawn, replayed, shared."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from base_ops.core import clock
from base_ops.core.models import AuditEntry, Role, Tenant
from base_ops.core.spans import Span
from billing import services
from billing.domain.quote import Quote
from billing.domain.texts import local_day
from billing.models import Budget, Charge, PolicyRow, PolicyUse, Reservation
from billing.services import whatif
from booking.services import replaying
from tests import make
from tests.billing.data import span
from tests.billing.policylang.documents import BOOKING, document
from tests.billing.test_api import Caller, caller
from tests.billing.world import finished, room
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")
NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
HALF = {"benefit": {"percent_off": "50"}, "order": 5, "group": "entry"}


def draft(code: str = "X1", version: int = 1, **changes: Any) -> dict[str, Any]:
    return {**BOOKING, **HALF, "code": code, "version": version, **changes}


def patch(who: Caller, path: str, body: Any, etag: str) -> Any:
    headers = who.headers | {"If-Match": etag}
    return who.client.patch(f"/api/v1{path}", body, "application/json", headers=headers)


def quoted(tenant: Tenant, ahead: int) -> Quote:
    """Two hours in the morning of the day so many days ahead of the real today."""
    day = local_day(clock.now()) + timedelta(days=ahead)
    start = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    wished = Span(start, start + timedelta(hours=2))
    return services.quote(tenant=tenant, space=room(), span=wished, now=NOW)


def in_force(finance: Caller, path: str, **days: Any) -> Any:
    first = local_day(clock.now()).isoformat()
    return finance.post(f"/policies/{path}/activate", {"first": first} | days)


def test_a_draft_is_checked_with_paths_warnings_and_a_case() -> None:
    liaison = caller(Role.LIAISON, NOW)

    def check(doc: Any, **case: Any) -> Any:
        return liaison.post("/policies/check", {"document": doc} | case).json()

    endless = check(document(amounts={"a": {"amount": "a"}}, benefit={"divide": "1", "by": "0"}))
    tried = check(document(), case={"facts": {"rent_paid": "100"}})
    wrong = check(document(), case={"facts": {"rent": "x", "other": "1"}})
    unknown = check(draft(version=4, when={"fact": "followers", "ge": "10"}))

    assert not endless["ok"]
    assert [fault["path"] for fault in endless["faults"]] == ["amounts.a.amount", "benefit.by"]
    assert tried["ok"]
    assert (tried["outcome"]["verdict"], tried["outcome"]["amount_fen"]) == ("applied", 5000)
    assert tried["outcome"]["steps"][0]["zh"] == "按规则计得50元"
    assert {fault["path"] for fault in wrong["faults"]} == {"case.facts.rent", "case.facts.other"}
    assert [warning["path"] for warning in unknown["warnings"]] == ["version", "when", "budget"]
    assert not PolicyRow.objects.filter(code="X1").exists()


def test_the_language_names_its_words() -> None:
    said = caller(Role.FINANCE, NOW).get("/policies/language").json()

    assert {"name": "rating", "kind": "code", "when_booking": True}.items() <= next(
        fact for fact in said["facts"] if fact["name"] == "rating"
    ).items()
    assert {"percent", "table", "least", "each_full"} <= set(said["amounts"])


def test_a_version_is_saved_put_in_force_and_withdrawn_by_day() -> None:
    finance, tenant = caller(Role.FINANCE, NOW), make.tenant(compliance_rating="B")
    today = local_day(clock.now())
    before = quoted(tenant, 40)

    saved = finance.post("/policies", {"document": draft(valid_to="2099-12-31")})
    rival = finance.post("/policies", {"document": draft(name_zh="另一版")})
    as_draft = quoted(tenant, 40)
    active = in_force(finance, "X1/versions/1", last=f"{today.year + 2}-12-31")
    given = quoted(tenant, 40)
    again = in_force(finance, "X1/versions/1")
    ended = finance.post(
        "/policies/X1/versions/1/withdraw", {"last": (today + timedelta(days=39)).isoformat()}
    )
    after = quoted(tenant, 40)

    assert (saved.status_code, saved.json()["state"]) == (201, "draft")
    assert (rival.status_code, rival.json()["code"]) == (409, "policy_version_taken")
    assert rival.json()["next_version"] == 2
    assert (active.status_code, active.json()["state"]) == (200, "active")
    assert (again.status_code, again.json()["code"]) == (409, "policy_state_forbids")
    assert ended.status_code == 200
    assert as_draft.discount_fen == before.discount_fen == after.discount_fen == 0
    assert given.discount_fen == given.list_fen // 2
    actions = AuditEntry.objects.filter(object_code="X1/1").values_list("action", flat=True)
    assert list(actions) == ["policy.save", "policy.activate", "policy.withdraw"]


def test_a_newer_version_ends_the_older_and_a_withdrawn_draft_never_begins() -> None:
    finance, tenant = caller(Role.FINANCE, NOW), make.tenant()
    today = local_day(clock.now())
    for version, percent in ((1, "50"), (2, "25"), (3, "90")):
        benefit = {"percent_off": percent}
        document = draft(version=version, benefit=benefit, valid_to="2030-12-31")
        assert finance.post("/policies", {"document": document}).status_code == 201
    in_force(finance, "X1/versions/1", last=f"{today.year + 2}-12-31")
    turn = (today + timedelta(days=50)).isoformat()
    finance.post("/policies/X1/versions/2/activate", {"first": turn, "last": "2030-12-31"})
    gone = finance.post("/policies/X1/versions/3/withdraw", {"last": today.isoformat()}).json()

    quotes = [quoted(tenant, days) for days in (49, 51)]

    assert [q.discount_fen * 100 // q.list_fen for q in quotes] == [50, 25]
    assert gone["state"] == "withdrawn"
    older = in_force(finance, "X1/versions/3")
    assert (older.status_code, older.json()["code"]) == (409, "policy_state_forbids")
    listed = finance.get("/policies/versions?code=X1").json()
    assert [(v["version"], v["state"]) for v in listed] == [
        (3, "withdrawn"), (2, "active"), (1, "active"),
    ]  # fmt: skip


def test_what_was_priced_is_never_changed_behind_its_back() -> None:
    finance = caller(Role.FINANCE, NOW)
    finance.post("/policies", {"document": draft()})
    yesterday = (local_day(clock.now()) - timedelta(days=1)).isoformat()

    early = in_force(finance, "X1/versions/1", first=yesterday)
    broken = finance.post("/policies", {"document": draft(version=2, benefit={"while": 1})})

    assert (early.status_code, early.json()["code"]) == (422, "policy_day_passed")
    assert (broken.status_code, broken.json()["code"]) == (422, "policy_not_readable")
    assert broken.json()["fields"][0]["name"] == "benefit.while"
    row = PolicyRow.objects.filter(code="P08")
    changes: tuple[dict[str, Any], ...] = (
        {"data": {}},
        {"valid_from": date(2026, 2, 1)},
        {"funding": "rule"},
    )
    for change in changes:
        with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
            row.update(**change)
    with pytest.raises(IntegrityError, match="kept"), transaction.atomic():
        row.delete()


@pytest.mark.parametrize(
    ("role", "reads", "edits"),
    [
        (Role.ADMIN, 200, 201),
        (Role.LIAISON, 200, 403),
        (Role.MANAGER, 403, 403),
        (Role.TENANT_ADMIN, 403, 403),
    ],
)
def test_finance_and_admin_edit_and_the_liaison_reads(role: Role, reads: int, edits: int) -> None:
    tenant = {"tenant": make.tenant()} if role == Role.TENANT_ADMIN else {}
    who = caller(role, NOW, **tenant)

    assert who.get("/policies/versions").status_code == reads
    assert who.get("/budgets").status_code == reads
    assert who.post("/policies/check", {"document": document()}).status_code == reads
    assert who.post("/policies", {"document": document()}).status_code == edits
    assert patch(who, "/budgets/P08/2026", {"limit_fen": 1, "reason": "x"}, "*").status_code in (
        edits, 200,
    )  # fmt: skip
    replay = {"document": draft(), "quarter": "2026-Q4"}
    wanted = 403 if edits == 403 else 200
    assert who.post("/policies/what-if", replay).status_code == wanted
    assert PolicyRow.objects.filter(code="P08", state="draft").count() == 0


def test_a_drafts_existence_is_not_for_tenants() -> None:
    finance = caller(Role.FINANCE, NOW)
    finance.post("/policies", {"document": draft()})

    theirs = caller(Role.TENANT_ADMIN, NOW, tenant=make.tenant()).get("/policies").json()
    ours = finance.get("/policies").json()

    assert "X1" not in {row["code"] for row in theirs}
    assert "X1" in {row["code"] for row in ours}


def test_a_limit_is_set_with_a_reason_and_never_below_what_is_taken() -> None:
    finance = caller(Role.FINANCE, NOW)
    Budget.objects.filter(policy_code="P08", year=2026).update(reserved_fen=700, committed_fen=300)
    seen = finance.get("/budgets/P08/2026")
    etag = seen.headers["ETag"]

    low = patch(finance, "/budgets/P08/2026", {"limit_fen": 999, "reason": "压减"}, etag)
    ok = patch(finance, "/budgets/P08/2026", {"limit_fen": 1000, "reason": "压减"}, etag)
    late = patch(finance, "/budgets/P08/2026", {"limit_fen": 2000, "reason": "追加"}, etag)

    assert (low.status_code, low.json()["code"]) == (409, "budget_below_taken")
    assert low.json()["taken_fen"] == 1000
    assert (ok.status_code, ok.json()["left_fen"]) == (200, 0)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    entry = AuditEntry.objects.get(action="budget.limit")
    assert entry.before == {"limit_fen": 30_000_000}
    assert entry.after == {"limit_fen": 1000, "reason": "压减"}


def test_a_budget_is_opened_once_a_year() -> None:
    finance = caller(Role.FINANCE, NOW)
    wish = {"policy_code": "P04", "year": 2026, "limit_fen": 100}

    first = finance.post("/budgets", wish)
    second = finance.post("/budgets", wish)
    none = finance.post("/budgets", wish | {"policy_code": "ZZ"})

    assert (first.status_code, first.json()["left_fen"]) == (201, 100)
    assert (second.status_code, second.json()["code"]) == (409, "budget_there")
    assert none.status_code == 404


def claims_of(tenants: list[Tenant], amounts: list[int], **more: Any) -> dict[str, Any]:
    return more | {
        "claims": [
            {
                "code": f"C{i}",
                "tenant": tenant.code,
                "amount_fen": amount,
                "filed_at": f"2026-11-0{i + 1}T09:00:00+08:00",
            }
            for i, (tenant, amount) in enumerate(zip(tenants, amounts, strict=True))
        ]
    }


def test_claims_share_what_is_left_in_proportion_and_each_once() -> None:
    finance, tenants = caller(Role.FINANCE, NOW), [make.tenant() for _ in range(3)]
    limit = {"per": "year", "limit": "50000.01", "share": "pro_rata"}
    finance.post("/policies", {"document": document(budget=limit, valid_to="2030-12-31")})
    this_year = local_day(clock.now()).year
    assert in_force(finance, "X1/versions/1").status_code == 200
    path = f"/budgets/X1/{this_year}/shares"
    asked = claims_of(tenants, [6_000_000, 3_000_000, 1_000_000])

    look = finance.post(path, asked)
    budget = Budget.objects.get(policy_code="X1", year=this_year)
    taken = finance.post(path, asked | {"commit": True})
    again = finance.post(path, asked | {"commit": True})
    booked = finance.post("/budgets/P08/2026/shares", asked)

    paid = [share["paid_fen"] for share in taken.json()["shares"]]
    assert paid == [3_000_001, 1_500_000, 500_000]
    assert look.json()["shares"] == taken.json()["shares"]
    assert budget.left_fen == 5_000_001
    budget.refresh_from_db()
    assert (budget.committed_fen, budget.left_fen) == (5_000_001, 0)
    assert (again.status_code, again.json()["code"]) == (409, "claim_shared")
    assert (booked.status_code, booked.json()["code"]) == (422, "policy_not_for_claims")
    assert PolicyUse.objects.filter(policy_code="X1").count() == 3


def replay_of(who: Caller, doc: dict[str, Any], **more: Any) -> Any:
    return who.post("/policies/what-if", {"document": doc, "quarter": "2026-Q4"} | more)


def test_a_quarter_is_replayed_under_a_draft_and_nothing_is_written() -> None:
    finance, jewel = caller(Role.FINANCE, NOW), room("studio_jewel")
    ours, other = make.tenant(industry="jewellery"), make.tenant(industry="apparel")
    for tenant, space in ((other, room()), (ours, jewel), (ours, jewel)):
        start = 60 + 300 * Reservation.objects.count()
        world.booked(now=NOW, tenant=tenant, space=space, start_min=start, minutes=120)
    wider = {
        "when": {"all": [{"fact": "industry", "in": ["jewellery", "apparel"]}]},
        "benefit": {"percent_off": "40"},
        "budget": {"per": "year", "limit": "100"},
        "order": 20,
        "group": "pilot",
    }
    before = [model.objects.count() for model in (Reservation, PolicyUse, PolicyRow, AuditEntry)]
    held = Budget.objects.get(policy_code="P08", year=2026)

    found = replay_of(finance, draft("P08", 2, **wider)).json()
    same = replay_of(finance, draft("X9", 1, when={"fact": "town", "is": "无"})).json()
    one = replay_of(finance, draft("P08", 2, **wider), tenant=other.code).json()

    assert found["bookings"] == 3
    assert found["total"]["before_fen"] == sum(t["before_fen"] for t in found["tenants"])
    rows = {row["code"]: row for row in found["tenants"]}
    assert rows[other.code]["difference_fen"] < 0
    effect = next(b for b in found["budgets"] if (b["policy_code"], b["year"]) == ("P08", 2026))
    assert (effect["before_limit_fen"], effect["after_limit_fen"]) == (30_000_000, 10_000)
    assert effect["before_fen"] == held.reserved_fen > 0
    assert effect["after_fen"] == 10_000
    assert same["total"]["difference_fen"] == 0
    assert [row["code"] for row in one["tenants"]] == [other.code]
    after = [model.objects.count() for model in (Reservation, PolicyUse, PolicyRow, AuditEntry)]
    assert after == before
    held.refresh_from_db()
    assert held.reserved_fen == effect["before_fen"]


def test_the_replay_is_bounded_and_the_database_itself_refuses_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finance = caller(Role.FINANCE, NOW)
    for start in (60, 600):
        world.booked(now=NOW, space=room(), start_min=start)
    days = {"since": date(2026, 10, 1), "until": date(2026, 12, 31)}

    def writing() -> Any:
        yield from replaying.claims_between(days["since"], days["until"])
        Budget.objects.update(limit_fen=10**12)

    with pytest.raises(InternalError, match="read-only"), transaction.atomic():
        whatif.replay(writing(), document=draft(), **days)
    monkeypatch.setattr(whatif, "MOST_BOOKINGS", 1)
    large = replay_of(finance, draft())
    claim = replay_of(finance, document())

    assert (large.status_code, large.json()["code"]) == (422, "what_if_too_large")
    assert (claim.status_code, claim.json()["code"]) == (422, "what_if_needs_price_policy")


def test_each_discount_says_who_bears_it(later: datetime) -> None:
    tenant = make.tenant(industry="jewellery", compliance_rating="A")

    finished(tenant=tenant, space=room("studio_jewel"), span=span("11-18 10:00", 2), now=later)

    payers = {row.policy: row.payer for row in Charge.objects.filter(tenant=tenant)}
    assert payers == {"": "tenant", "P08": "district", "P13": "base"}


def test_without_its_constraint_a_budget_could_be_overspent() -> None:
    """Negative control: the service's own check is not what keeps a budget whole."""
    over = Budget.objects.filter(policy_code="P08", year=2026)

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE billing_budget DROP CONSTRAINT budget_never_negative")
        assert over.update(reserved_fen=30_000_001) == 1
        transaction.set_rollback(True)

    with pytest.raises(IntegrityError, match="budget_never_negative"), transaction.atomic():
        over.update(reserved_fen=30_000_001)
