"""What the database answers is what plain stays answer; versions are written once."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from base_ops.core.models import AuditEntry, Space, Tenant
from base_ops.core.spans import Span
from billing.models import Evidence
from booking import selectors, services
from booking.domain.rulebook import Book, Case, Stay, compile_book, standard, tally
from booking.models import Booking, RuleBook
from tests import make
from tests.booking import world
from tests.booking.rulings import document, rule

pytestmark = pytest.mark.django_db
_codes = itertools.count(1)
TICK = timedelta(minutes=30)
LIVE = ["held", "pending_approval", "confirmed", "checked_in"]


SITED = compile_book(document(rule("units", scope={"sites": ["TST"]})))


def book(*rules: dict[str, Any]) -> Book:
    return compile_book(document(*rules))


def stay(tenant: Tenant, space: Space, span: Span, *, status: str, now: datetime) -> Booking:
    lapse = now + timedelta(minutes=random.Random(span.start.isoformat()).choice([-5, 5]))
    return Booking.objects.create(
        code=f"BK{next(_codes):08d}", tenant=tenant, space=space, starts_at=span.start,
        ends_at=span.end, status=status, expires_at=lapse if status == "held" else None,
        purpose="live_sales", headcount=1, pin="000000", created_at=now, price_fen=100,
    )  # fmt: skip


def beside(booking: Booking, space: Space, span: Span) -> tuple[str, Span]:
    """The booking takes this space too, for that time."""
    booking.parts.create(space=space, starts_at=span.start, ends_at=span.end)
    Booking.objects.filter(pk=booking.pk).update(part_count=booking.parts.count())
    return space.code, span


def near(dice: random.Random, span: Span) -> Span:
    """A time within a day of the span, often the same."""
    if dice.random() < 0.4:
        return span
    start = span.start + dice.randint(-40, 40) * TICK
    end = start + dice.randint(1, 16) * TICK
    return Span(start, min(end, span.end + timedelta(days=1)))


def case(tenant: Tenant, span: Span, *spaces: Space, now: datetime, **more: Any) -> Case:
    places = tuple(selectors.place(space, SITED) for space in spaces)
    return Case(places, selectors.renter(tenant), span, now, **more)


def some_span(dice: random.Random, now: datetime) -> Span:
    start = now.replace(minute=0) + dice.randint(-400, 400) * TICK
    return Span(start, start + dice.randint(1, 60) * TICK)


@pytest.mark.parametrize("seed", range(8))
def test_the_database_and_plain_stays_answer_alike(now: datetime, seed: int) -> None:
    dice = random.Random(seed)
    types = [make.space_type(), make.space_type()]
    spaces = [make.space(type=dice.choice(types)) for _ in range(3)]
    tenants = [make.tenant(), make.tenant()]
    rows = [
        stay(
            dice.choice(tenants), dice.choice(spaces), some_span(dice, now), now=now,
            status=dice.choice([*LIVE, "completed", "cancelled", "no_show", "expired"]),
        )
        for _ in range(60)
    ]  # fmt: skip
    apart: dict[int, list[tuple[str, Span]]] = {}
    for row in dice.sample(rows, 25):
        for _ in range(dice.randint(1, 3)):
            part = beside(row, dice.choice(spaces), near(dice, row.span))
            apart.setdefault(row.pk, []).append(part)
    own = rows[0]
    scope = dice.choice(
        [
            {},
            {"spaces": [spaces[0].code, spaces[1].code]},
            {"space_types": [spaces[0].type.code]},
            {"sites": ["TST"]},
        ]
    )
    rules = book(
        rule("hours_quota", period="day", minutes=60, scope=scope),
        rule("hours_quota", period="month", minutes=60, between=["22:00", "06:00"], scope=scope),
        rule("count_quota", period="week", most=1, counting="shared", past_counts=False),
        rule("count_quota", period="year", most=1, weekdays=["SA", "SU"]),
        rule("concurrent", most=1, scope=scope),
        rule("venue_concurrent", most=1, scope=scope),
        rule("venue_concurrent", most=1),
    )
    asked = case(tenants[0], some_span(dice, now), spaces[0], now=now)
    needs = rules.hearing(asked).needs

    with CaptureQueriesContext(connection) as queries:
        found = selectors.usage(needs=needs, tenant=tenants[0], ignoring=[own.pk], now=now)

    places = {space.code: selectors.place(space, SITED) for space in spaces}

    def plain(status: list[str], of: list[Tenant]) -> list[Stay]:
        return [
            Stay(row.span, (row.space.code,), apart=tuple(apart.get(row.pk, ())))
            for row in rows
            if row.status in status
            and row.tenant in of
            and row.pk != own.pk
            and not (row.status == "held" and row.expires_at and row.expires_at <= now)
        ]

    quotas = tally(needs, plain([*LIVE, "completed"], tenants[:1]), places)
    crowds = {
        crowd: sorted(tally(needs, plain(LIVE, tenants[: 1 + crowd.venue]), places).around[crowd])
        for crowd in needs.crowds
    }
    assert len(queries) == 1
    assert dict(found.used) == dict(quotas.used)
    assert {crowd: sorted(spans) for crowd, spans in found.around.items()} == crowds


def test_no_rule_that_asks_means_no_query(now: datetime) -> None:
    tenant, space = make.tenant(), make.space()
    needs = book(rule("units")).hearing(case(tenant, world.span(now), space, now=now)).needs

    with CaptureQueriesContext(connection) as queries:
        selectors.usage(needs=needs, tenant=tenant, now=now)

    assert len(queries) == 0


@pytest.mark.usefixtures("prices")
def test_exposure_is_live_bookings_and_charges_without_an_invoice(now: datetime) -> None:
    tenant = make.tenant()
    live = world.booked(now=now, tenant=tenant)
    gone = world.booked(now=now, tenant=tenant, start_min=120)
    services.cancel(booking=gone, actor=world.STAFF, now=now)
    world.booked(now=now)
    fee = sum(gone_fee(gone))
    rules = book(rule("credit_limit", limit_fen=1))
    needs = rules.hearing(case(tenant, world.span(now), live.space, now=now)).needs

    found = selectors.usage(needs=needs, tenant=tenant, now=now)
    without = selectors.usage(needs=needs, tenant=tenant, ignoring=[live.pk], now=now)

    assert fee > 0
    assert (found.exposure_fen, without.exposure_fen) == (live.price_fen + fee, fee)


def gone_fee(booking: Booking) -> list[int]:
    from billing.models import Charge

    return list(
        Charge.objects.filter(booking_code=booking.code).values_list("gross_fen", flat=True)
    )


def test_documents_come_from_tags_profile_and_proofs(now: datetime) -> None:
    today = now.date()
    tenant = make.tenant(
        tags=["headquarters"],
        profile={
            "real_name_verified": True,
            "documents": {"insurance": "2026-09-20", "permit": None, "broken": "soon"},
        },
    )
    for key, first, last in (
        ("agreement", today, today + timedelta(days=9)),
        ("old", today - timedelta(days=9), today - timedelta(days=1)),
        ("future", today + timedelta(days=1), today + timedelta(days=9)),
    ):
        Evidence.objects.create(tenant=tenant, key=key, valid_from=first, valid_to=last)
    names = [
        "headquarters", "real_name_verified", "insurance", "permit", "broken", "agreement", "old",
        "future",
    ]  # fmt: skip
    rules = book(rule("required_documents", documents=names))
    asked = case(tenant, world.span(now + timedelta(hours=1)), make.space(), now=now)
    hearing = rules.hearing(asked)

    found = selectors.usage(needs=hearing.needs, tenant=tenant, now=now)

    (broken,) = hearing.verdict(found).broken
    assert broken.accepted == ["broken", "old", "future"]


def test_a_new_database_begins_with_the_standard_book(now: datetime) -> None:
    row = RuleBook.objects.get()

    assert (row.version, row.document) == (standard.VERSION, standard.document())
    assert selectors.current_book(now=now).version == 1


def publish(now: datetime, *, valid_from: datetime | None = None, **params: Any) -> RuleBook:
    return services.publish_rules(
        document=document(rule("max_length", code="cap", **params)),
        valid_from=valid_from,
        actor=world.STAFF,
        now=now,
    )


def test_a_new_version_is_in_force_when_its_time_comes_and_on_record(now: datetime) -> None:
    later = now + timedelta(hours=1)

    row = publish(now, valid_from=later, minutes=60)

    assert (row.version, row.created_by) == (2, world.STAFF.label)
    assert selectors.current_book(now=now).version == 1
    assert selectors.current_book(now=later).version == 2
    entry = AuditEntry.objects.get(action="booking_rules.publish")
    assert entry.after is not None
    assert entry.after["added"] == ["cap"]
    assert "slot_grid" in entry.after["removed"]


def test_one_process_reads_a_version_once_and_knows_another_document(now: datetime) -> None:
    with transaction.atomic():
        publish(now, minutes=60)
        first = selectors.current_book(now=now)
        with CaptureQueriesContext(connection) as queries:
            again = selectors.current_book(now=now)
        transaction.set_rollback(True)
    publish(now, minutes=90)

    assert again is first
    assert len(queries) == 1
    assert selectors.current_book(now=now).rules[0].params["minutes"] == 90
    assert selectors.book_of(1).version == 1
    with pytest.raises(selectors.UnknownRules):
        selectors.book_of(99)


def test_rules_with_faults_or_in_the_past_are_refused_and_nothing_is_written(
    now: datetime,
) -> None:
    with pytest.raises(services.BadRules) as caught:
        services.publish_rules(
            document=document(
                rule("units", scope={"spaces": ["nowhere"]}), rule("step", minutes=7)
            ),
            actor=world.STAFF,
            now=now,
        )
    with pytest.raises(services.RulesInThePast):
        publish(now, valid_from=now - TICK, minutes=60)

    faults: Any = caught.value.context["faults"]
    assert [f["path"] for f in faults] == [
        "$.rules[0].scope.spaces[0]", "$.rules[1].params.minutes",
    ]  # fmt: skip
    assert RuleBook.objects.count() == 1


@pytest.mark.parametrize(
    "sql", ["UPDATE booking_rulebook SET note = 'x'", "DELETE FROM booking_rulebook"]
)
def test_a_version_is_never_rewritten(sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(sql)
