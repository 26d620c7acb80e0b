"""Sixteen rivals at a few rooms: nothing overlaps, nothing acknowledged is lost, nobody deadlocks.

BASE_OPS_CONTENDED_ATTEMPTS says how many attempts; what they came to is printed (`-s`).
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from base_ops.core import auth, clock
from base_ops.core.models import Role, Tenant
from billing import importers
from billing.models import Budget
from booking import services
from booking.domain.rulebook import standard
from booking.models import Booking, EquipmentPool, EquipmentUnit
from tests import make
from tests.billing.data import demo
from tests.billing.world import room
from tests.booking import contenders, world
from tests.booking.test_race import _url

pytestmark = pytest.mark.django_db(transaction=True)

ATTEMPTS = int(os.environ.get("BASE_OPS_CONTENDED_ATTEMPTS", "2400"))
SEED = int(os.environ.get("BASE_OPS_CONTENDED_SEED", "20261124"))
TENANTS = 7  # two rivals each; the last two rivals are managers
AT_ONCE = 2  # what a rule grants the first two tenants
BUDGET_FEN = 20_000


def a_world(logs: Path) -> contenders.Plan:
    """Four rooms, seats and things beside them, a small budget, and two tenants with a quota."""
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    Budget.objects.filter(policy_code="P08").update(limit_fen=BUDGET_FEN)
    spaces = [
        room(kind) for kind in ("studio_single", "studio_single", "studio_jewel") for _ in "1"
    ]
    spaces.append(room("studio_jewel"))
    beside = make.space(type=spaces[0].type, unit_count=3, capacity=3, booking_mode="slot")
    pool = EquipmentPool.objects.create(code="CAM", name_zh="摄像机", name_en="Cameras")
    EquipmentUnit.objects.bulk_create(EquipmentUnit(pool=pool, number=n) for n in (1, 2, 3))
    tenants = [_tenant(n) for n in range(TENANTS)]
    _limit(tenants[:2])
    noon = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)  # ten in Guangzhou
    return contenders.Plan(
        logs=str(logs),
        seed=SEED,
        attempts=ATTEMPTS,
        seconds=max(120.0, ATTEMPTS / 20),
        spaces=[space.code for space in spaces],
        beside=beside.code,
        pool=pool.code,
        tokens=[_token(Role.TENANT_ADMIN, tenant=tenant) for tenant in tenants],
        held=[n >= 2 for n in range(TENANTS)],
        staff=_token(Role.MANAGER),
        first=(noon + timedelta(days=10)).isoformat(),
    )


def _tenant(n: int) -> Tenant:
    return make.tenant(
        code=f"RIVAL{n:02d}", compliance_rating="A", credit_limit_fen=10**12,
        industry="jewellery" if n % 2 else "apparel",
    )  # fmt: skip


def _limit(tenants: Iterable[Tenant]) -> None:
    """Write a rule by which these tenants may not be in more than so many rooms at once."""
    rules = standard.document()
    codes = [tenant.code for tenant in tenants]
    rules["rules"].append(
        {
            "code": "few_at_once", "kind": "concurrent", "scope": {"tenants": codes},
            "params": {"most": AT_ONCE}, "overridable_by": [],
        }
    )  # fmt: skip
    services.publish_rules(document=rules, actor=world.STAFF, now=clock.now())


def _token(role: Role, **changes: Any) -> str:
    token, _ = auth.new_token(user=make.user(role, **changes), name="t", now=clock.now())
    return token


def rows(sql: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def overlaps() -> list[Any]:
    """Pairs of live takings of one thing that share an instant; a join, not the constraint."""
    return rows(
        "SELECT a.id, b.id FROM booking_allocation a JOIN booking_allocation b ON a.id < b.id"
        " AND a.unit = b.unit AND a.active AND b.active"
        " AND (a.space_id = b.space_id OR a.pool_id = b.pool_id)"
        " AND lower(a.block) < upper(b.block) AND lower(b.block) < upper(a.block)"
    )


def takes_wrongly() -> list[Any]:
    """Live bookings that do not hold exactly what they say, and dead ones that hold anything.

    A hold whose time is over may have been given away in part or whole.
    """
    return rows(
        "SELECT b.code, b.status, b.n, count(a.id) FROM ("
        "  SELECT k.*, k.units + coalesce((SELECT sum(p.quantity) FROM booking_bookingpart p"
        "   WHERE p.booking_id = k.id), 0) AS n FROM booking_booking k) b"
        " LEFT JOIN booking_allocation a ON a.booking_id = b.id AND a.active"
        " GROUP BY b.id, b.code, b.status, b.n HAVING CASE"
        "  WHEN b.status IN ('confirmed', 'pending_approval') THEN count(a.id) <> b.n"
        "  WHEN b.status = 'held' THEN count(a.id) > b.n ELSE count(a.id) > 0 END"
    )


def beyond_budget() -> list[Any]:
    """Budgets over their limit, or whose sum is not the sum of what was reserved."""
    return rows(
        "SELECT g.policy_code, g.year, g.limit_fen, g.reserved_fen, sum(u.amount_fen)"
        " FROM billing_budget g LEFT JOIN (billing_policyuse u JOIN billing_reservation r"
        "  ON r.id = u.reservation_id AND r.state = 'reserved') ON u.budget_id = g.id"
        " GROUP BY g.id HAVING g.reserved_fen > g.limit_fen"
        "  OR g.reserved_fen <> coalesce(sum(u.amount_fen), 0)"
    )


def beyond_hours() -> list[Any]:
    """Tenants whose free first-year hours (P01: ten a month) were given more than once."""
    return rows(
        "SELECT r.tenant_id, r.month, sum(u.half_hours) FROM billing_policyuse u"
        " JOIN billing_reservation r ON r.id = u.reservation_id AND r.state <> 'released'"
        " WHERE u.policy_code = 'P01' GROUP BY 1, 2 HAVING sum(u.half_hours) > 20"
    )


def most_at_once(tenants: Iterable[str]) -> int:
    """In how many rooms one of these tenants is at the same instant, at most."""
    found = rows(
        "SELECT count(*) FROM booking_booking a"
        " JOIN booking_booking b ON a.tenant_id = b.tenant_id"
        " AND b.status = 'confirmed' AND b.starts_at <= a.starts_at AND b.ends_at > a.starts_at"
        " JOIN core_tenant t ON t.id = a.tenant_id"
        " WHERE a.status = 'confirmed' AND t.code = ANY(%s) GROUP BY a.id"
        " ORDER BY 1 DESC LIMIT 1",
        list(tenants),
    )
    return int(found[0][0]) if found else 0


Told = tuple[str, str, int, str, datetime, datetime]


def acknowledged(answers: list[contenders.Answer]) -> dict[str, dict[int, Told]]:
    """What somebody was told first-hand, by booking and version; each version is told once."""
    found: dict[str, dict[int, Told]] = {}
    for answer in answers:
        for told in answer["told"] if not answer["replayed"] else []:
            code, status, version, space, start, end = told
            versions = found.setdefault(code, {})
            assert version not in versions, f"two deeds made version {version} of {code}"
            times = datetime.fromisoformat(start), datetime.fromisoformat(end)
            versions[version] = (code, status, version, space, *times)
    return found


def lost(answers: list[contenders.Answer]) -> list[str]:
    """Bookings that are not in the database exactly as somebody was told last."""
    told = acknowledged(answers)
    stored: dict[str, Told] = {
        row[0]: row
        for row in Booking.objects.values_list(
            "code", "status", "version", "space__code", "starts_at", "ends_at"
        )
    }
    offered = set(Booking.objects.filter(source="waitlist").values_list("code", flat=True))
    wrong = [f"{code} was told of and is not there" for code in told.keys() - stored.keys()]
    for code, row in stored.items():
        versions = dict(told.get(code, {}))
        if code in offered:
            versions.setdefault(1, row)  # told by a notice, not by an answer
        if row[1] == "expired":
            versions.setdefault(row[2], row)  # time did that
        if sorted(versions) != list(range(1, row[2] + 1)):
            wrong.append(f"{code}: versions {sorted(versions)} were told of, it has {row[2]}")
        elif versions[row[2]] != row:
            wrong.append(f"{code}: told {versions[row[2]]}, stored {row}")
    return wrong


def unannounced() -> list[Any]:
    """Offers of the waitlist that nobody was told of."""
    return rows(
        "SELECT b.code FROM booking_booking b WHERE b.source = 'waitlist' AND NOT EXISTS ("
        " SELECT 1 FROM core_notice n WHERE n.kind = 'waitlist.offer'"
        " AND n.dedup LIKE '%%' || b.code || '%%')"
    )


def effects_by_key(answers: list[contenders.Answer]) -> dict[str, list[Any]]:
    """For each key that was granted: the different things that were told, and how often anew."""
    found: dict[str, list[Any]] = {}
    for answer in answers:
        if answer["key"] and answer["http"] < 300:
            found.setdefault(answer["key"], []).append(answer)
    return found


def two_effects(answers: list[contenders.Answer]) -> list[str]:
    """Keys that did something twice, or were answered differently."""
    return [
        key
        for key, same in effects_by_key(answers).items()
        if sum(not a["replayed"] for a in same) > 1
        or len({json.dumps([a["told"], a.get("entry")]) for a in same}) > 1
    ]


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def report(answers: list[contenders.Answer], took_s: float, server_deadlocks: int) -> None:
    """Print what it came to."""
    said = Counter(f"{a['deed']}: {a['code'] or 'ok'}" for a in answers)
    retried = Counter(state for a in answers for state in a["retries"])
    replayed = sum(a["replayed"] for a in answers)
    print(f"\n{len(answers)} answers in {took_s:.1f} s, {replayed} of them replayed")  # noqa: T201
    print(f"deadlocks at the server {server_deadlocks}, tried again {dict(retried)}")  # noqa: T201
    for what, count in sorted(said.items()):
        print(f"  {count:6} {what}")  # noqa: T201


def test_sixteen_rivals_and_nothing_overlaps_is_lost_or_deadlocks(
    transactional_db: None, tmp_path: Path
) -> None:
    plan, before, began = a_world(tmp_path), deadlocks(), time.monotonic()

    answers = contenders.run(plan, _url())

    found = deadlocks() - before
    report(answers, time.monotonic() - began, found)
    assert found == 0
    assert [a for a in answers if a["http"] >= 500] == []
    assert overlaps() == []
    assert takes_wrongly() == []
    assert lost(answers) == []
    assert unannounced() == []
    assert two_effects(answers) == []
    assert beyond_budget() == []
    assert beyond_hours() == []
    assert most_at_once(["RIVAL00", "RIVAL01"]) <= AT_ONCE
    _was_worth_it(answers)


def _was_worth_it(answers: list[contenders.Answer]) -> None:
    """Every deed succeeded and was refused somewhere, and everything scarce was used up."""
    good = Counter(a["deed"] for a in answers if a["http"] < 300)
    refused = Counter(a.get("code") for a in answers)
    assert len(answers) >= 0.8 * ATTEMPTS
    assert not {*contenders._TENANT_DEEDS, *contenders._STAFF_DEEDS} - good.keys()
    assert {"slot_taken", "rules_broken", "changed_meanwhile"} <= refused.keys()
    twice = [same for same in effects_by_key(answers).values() if len(same) > 1]
    assert len(twice) > 0.05 * ATTEMPTS
    assert Booking.objects.filter(source="waitlist").exists()
    refusals = "SELECT count(*) FROM booking_booking WHERE quote::text LIKE %s"
    assert rows(refusals, '%"P08"%')[0][0] > 0
    assert Budget.objects.filter(policy_code="P08", reserved_fen__gt=0).exists()
