"""Series: one look for all instances, booked in one transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from psycopg.types.range import TimestamptzRange

from base_ops.core.actors import Actor
from base_ops.core.errors import DomainError
from base_ops.core.models import Space, Tenant
from base_ops.core.models.notices import Notice
from base_ops.core.models.records import AuditEntry
from base_ops.core.spans import Span
from billing.models import Reservation
from booking.domain.rulebook import standard
from booking.models import Allocation, Booking, EquipmentPool, EquipmentUnit, Series, SeriesSkip
from booking.services import publish_rules
from booking.services import series as services
from booking.services.quotes import QuoteChanged
from booking.services.series import Choice, SeriesConflicts, SeriesRulesBroken
from booking.services.wishes import Extra
from tests import make
from tests.booking import world
from tests.booking.series_world import (
    DAY,
    HOUR,
    WEEK,
    active,
    create,
    dated,
    starts,
    taken_by_another,
    wish,
)

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def space() -> Space:
    return world.studio()


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def actor(tenant: Tenant) -> Actor:
    return world.actor(tenant)


@pytest.fixture
def start(now: datetime) -> datetime:
    return now + 2 * DAY


# --- look -------------------------------------------------------------------------------------


def test_a_look_judges_each_instance_and_writes_nothing(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    rival = taken_by_another(space, start + WEEK, now)
    own = world.booked(
        now=now, space=space, tenant=tenant,
        start_min=int((start + 2 * WEEK - now).total_seconds()) // 60,
    )  # fmt: skip

    seen = services.look(services.expanded(wish(space, tenant, start)), now=now)
    services.propose(seen, now=now)

    assert [one.verdict for one in seen] == ["ok", "conflict", "conflict", "ok", "ok"]
    hidden, shown = (services.conflicts_json(one)[0] for one in seen[1:3])
    assert (hidden["kind"], hidden["booking"]) == ("busy", None)
    assert (shown["kind"], shown["booking"]) == ("booking", own.code)
    assert rival.code not in str(hidden)
    assert all(one.quote and one.quote.total_fen > 0 for one in seen if one.verdict == "ok")
    assert Booking.objects.count() == 2
    assert Series.objects.count() == 0


def test_conflicts_are_answered_with_near_times_and_equal_rooms(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    equal = world.studio()
    taken_by_another(space, start + WEEK, now)

    seen = services.look(services.expanded(wish(space, tenant, start)), now=now)
    services.propose(seen, now=now)

    found = seen[1].alternatives
    assert {a["kind"] for a in found} == {"time", "space"}
    assert equal.code in {a["space"] for a in found if a["kind"] == "space"}
    for offer in found:
        span = Span(*(datetime.fromisoformat(offer[k]) for k in ("starts_at", "ends_at")))
        room = Space.objects.select_related("type", "floor").get(code=offer["space"])
        again = wish(space, tenant, start, choices={start + WEEK: Choice(space=room, span=span)})
        assert services.look(services.expanded(again), now=now)[1].verdict == "ok"


def test_broken_rules_are_named_per_instance_and_the_single_window_does_not_hold(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    far = wish(space, tenant, start, rrule="FREQ=YEARLY;COUNT=6")
    crowded = wish(space, tenant, start, headcount=9)
    beyond = wish(space, tenant, start + 400 * DAY, rrule="FREQ=YEARLY;COUNT=6")

    verdicts = [
        [one.verdict for one in services.look(services.expanded(w), now=now)]
        for w in (far, crowded)
    ]
    last = services.look(services.expanded(beyond), now=now)[-1]

    assert verdicts == [["ok"] * 6, ["rules_broken"] * 5]
    assert [b.code for b in last.broken] == ["series_horizon"]


def test_260_instances_over_five_years_are_looked_at_in_six_queries(
    space: Space,
    tenant: Tenant,
    start: datetime,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    for n in range(1, 9):
        Allocation.objects.create(
            space=space, kind="blackout",
            block=TimestamptzRange(start + n * 30 * WEEK, start + n * 30 * WEEK + HOUR, "[)"),
        )  # fmt: skip
    asked = services.expanded(wish(space, tenant, start, rrule="FREQ=WEEKLY;COUNT=260"))

    services.look(asked[:1], now=now)  # reads the rules and the price book once
    # Which rules are in force, the tenant's turn, its bookings around, what is taken, which price
    # book, what the tenant used.
    with django_assert_max_num_queries(6):
        seen = services.look(asked, now=now)

    assert len(seen) == 260
    assert seen[-1].asked.recurrence_id > start + 1800 * DAY
    assert sum(one.verdict == "conflict" for one in seen) == 8
    with django_assert_max_num_queries(3):  # rooms, rules; what is taken around and in them
        services.propose(seen, now=now)
    assert all(one.alternatives for one in seen if one.verdict == "conflict")


def test_a_series_that_overlaps_itself_conflicts_with_itself(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    asked = wish(space, tenant, start, rrule="FREQ=DAILY;BYHOUR=15,16;COUNT=4")

    verdicts = [one.verdict for one in services.look(services.expanded(asked), now=now)]

    assert verdicts == ["ok", "conflict", "ok", "conflict"]  # teardown and setup lie between


def test_the_look_promises_the_price_that_booking_charges(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    asked = wish(space, tenant, start, rrule="FREQ=DAILY;COUNT=40")
    seen = services.look(services.expanded(asked), now=now)
    promised = [one.quote.total_fen for one in seen if one.quote]

    made = create(asked, now)

    assert [b.price_fen for b in made.bookings] == promised
    assert Reservation.objects.filter(tenant=tenant, state="reserved").count() == 40


# --- create -----------------------------------------------------------------------------------


def test_atomic_books_all(space: Space, tenant: Tenant, start: datetime, now: datetime) -> None:
    made = create(wish(space, tenant, start), now)

    assert starts(made.series) == [start + n * WEEK for n in range(5)]
    assert {b.status for b in Booking.objects.filter(series=made.series)} == {"confirmed"}
    assert active(made.bookings) == 5
    assert [b.recurrence_id for b in made.bookings] == starts(made.series)
    rows = AuditEntry.objects.filter(object_type="series")
    assert [(r.action, r.object_code) for r in rows] == [("series.create", made.series.code)]


def test_atomic_books_nothing_when_one_date_is_taken(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    taken_by_another(space, start + WEEK, now)

    with pytest.raises(SeriesConflicts) as caught:
        create(wish(space, tenant, start), now)

    instances: Any = caught.value.context["instances"]
    assert [dated(i) for i in instances] == [start + WEEK]
    assert instances[0]["alternatives"]
    assert Booking.objects.filter(tenant=tenant).count() == 0
    assert Series.objects.count() == SeriesSkip.objects.count() == 0
    assert Reservation.objects.filter(tenant=tenant).count() == 0


def test_skip_books_the_rest_and_remembers_why(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    rival = taken_by_another(space, start + WEEK, now)

    made = create(wish(space, tenant, start), now, "skip")

    assert start + WEEK not in starts(made.series)
    assert len(made.bookings) == 4
    skip = SeriesSkip.objects.get(series=made.series)
    assert (skip.recurrence_id, skip.reason) == (start + WEEK, "conflict")
    assert skip.detail["conflicts"][0]["kind"] == "busy"
    assert rival.code not in str(skip.detail)


def test_skip_refuses_when_nothing_is_left(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    with pytest.raises(SeriesRulesBroken) as caught:
        create(wish(space, tenant, start, headcount=9), now, "skip")

    assert [f.name for f in caught.value.fields] == ["headcount"]
    assert Series.objects.count() == 0


def test_proposals_are_sent_back_as_choices(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    taken_by_another(space, start + WEEK, now)
    other = world.studio()

    with pytest.raises(SeriesConflicts):
        create(wish(space, tenant, start), now, "propose")
    choices = {
        start + WEEK: Choice(space=other),
        start + 2 * WEEK: Choice(skip=True),
        start + 3 * WEEK: Choice(span=Span(start + 3 * WEEK + HOUR, start + 3 * WEEK + 2 * HOUR)),
    }
    made = create(wish(space, tenant, start, choices=choices), now, "propose")

    rows = {b.recurrence_id: b for b in made.bookings}
    assert rows[start + WEEK].space == other
    assert rows[start + 3 * WEEK].starts_at == start + 3 * WEEK + HOUR
    assert [(s.recurrence_id, s.reason) for s in made.skips] == [(start + 2 * WEEK, "chosen")]


def test_a_choice_for_no_date_of_the_series_is_refused(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    asked = wish(space, tenant, start, choices={start + DAY: Choice(skip=True)})

    with pytest.raises(DomainError) as caught:
        create(asked, now)

    assert caught.value.code == "series_dates_invalid"


def test_another_total_than_was_seen_books_nothing(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    with pytest.raises(QuoteChanged), transaction.atomic():
        create(wish(space, tenant, start), now, expected_fen=1)

    assert Series.objects.count() == Booking.objects.count() == 0
    assert Reservation.objects.count() == 0


def test_a_series_takes_rooms_and_equipment_beside(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    pool = EquipmentPool.objects.create(code="CAM", name_zh="摄像机", name_en="Cameras")
    EquipmentUnit.objects.create(pool=pool, number=1)
    control = world.studio()
    extras = [Extra(space=control), Extra(pool=pool)]

    made = create(wish(space, tenant, start, extras=extras), now)
    with pytest.raises(SeriesConflicts) as caught:
        create(wish(world.studio(), make.tenant(), start, extras=[Extra(pool=pool)]), now)

    assert active(made.bookings) == 15
    assert {p.quantity for b in made.bookings for p in b.parts.all()} == {1}
    instances: Any = caught.value.context["instances"]
    assert instances[0]["lacking"][0]["code"] == "CAM"


def test_an_expired_hold_is_in_nobodys_way(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    start_min = int((start - now).total_seconds()) // 60
    world.booked(now=now, space=space, start_min=start_min, hold=True)

    made = create(wish(space, tenant, start), now + HOUR)

    assert active(made.bookings) == 5


def test_one_date_cannot_have_two_bookings(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    made = create(wish(space, tenant, start), now)
    copy = made.bookings[0]
    copy.pk, copy.code = None, "BKCOPY"

    with transaction.atomic(), pytest.raises(IntegrityError, match="booking_once_per_recurrence"):
        copy.save(force_insert=True)


def test_quotas_count_the_instances_before(space: Space, start: datetime, now: datetime) -> None:
    """Twenty hours of a single anchor are more than its sixteen a day, whoever asks for them."""
    anchor = make.tenant(category="anchor")
    asked = wish(space, anchor, start, rrule="FREQ=DAILY;COUNT=2")
    long = replace(asked.wish, span=Span(start, start + 10 * HOUR))
    twice = replace(asked, wish=long, choices={
        start + DAY: Choice(space=world.studio(), span=Span(start + HOUR, start + 11 * HOUR)),
    })  # fmt: skip

    seen = services.look(services.expanded(twice), now=now)
    waived = services.look(
        services.expanded(replace(twice, wish=replace(long, override={"anchor_day_hours"}))),
        role="manager",
        now=now,
    )

    assert [one.verdict for one in seen] == ["ok", "rules_broken"]
    assert [b.code for b in seen[1].broken] == ["anchor_day_hours"]
    assert [one.verdict for one in waived] == ["ok", "ok"]
    assert [b.code for b in waived[1].waived] == ["anchor_day_hours"]


def test_a_series_that_needs_approval_waits_for_it(
    space: Space, tenant: Tenant, start: datetime, now: datetime
) -> None:
    document = standard.document()
    document["rules"].append(
        {"code": "ask", "kind": "approval", "scope": {"spaces": [space.code]}, "params": {}}
    )
    publish_rules(document=document, actor=world.STAFF, now=now)

    made = create(wish(space, tenant, start), now + HOUR)

    assert {b.status for b in made.bookings} == {"pending_approval"}
    assert active(made.bookings) == 5
    assert Notice.objects.filter(kind="booking.pending_approval").count() == 1
    assert Notice.objects.filter(kind="series.created").count() == 1
