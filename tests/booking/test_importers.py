"""The demo world: all of it or nothing, as of now, again without effect."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from base_ops.core import importers as core_importers
from base_ops.core.faults import BrokenFile
from base_ops.core.models import LiveTopic
from base_ops.demo import people
from billing import importers as billing_importers
from billing import services as billing
from billing.domain.facts import BookingFacts
from billing.domain.quote import Quote
from billing.models import Budget, Charge, PolicyUse, Reservation, UsageFact
from booking import importers, occupancy, present
from booking.models import Allocation, Booking, Lease
from devices import importers as device_importers
from devices.models import Command, Grant, Shadow
from tests.billing.data import base, demo

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # 20:00 in Guangzhou: prime time


@pytest.fixture
def world() -> None:
    """The base, its devices, tenants and prices."""
    core_importers.load_base(base())
    device_importers.load(base(), now=NOW)
    core_importers.load_tenants(demo())
    billing_importers.load(demo())


def few(count: int = 60) -> dict[str, Any]:
    """The bookings around the day itself."""
    rows = [b for b in demo()["bookings"] if abs(b["day_offset"]) <= 1]
    return {"leases": demo()["leases"], "bookings": rows[:count]}


@contextmanager
def fewer_queries_than(limit: int) -> Iterator[None]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        yield
    assert len(seen) < limit, len(seen)


@pytest.mark.usefixtures("world")
def test_the_whole_demo_loads_and_a_second_time_changes_nothing() -> None:
    first = importers.load(demo(), shift_days=0, now=NOW)
    charged = Charge.objects.count()
    second = importers.load(demo(), shift_days=0, now=NOW)

    assert first == {"leases": 14, "bookings": 1375}
    assert second == {"leases": 0, "bookings": 0}
    assert charged == Charge.objects.count() > 1000
    by_status = {s: Booking.objects.filter(status=s).count() for s in ("checked_in", "no_show")}
    assert by_status["checked_in"] > 10
    assert by_status["no_show"] == 34
    assert not Booking.objects.filter(status="confirmed", ends_at__lte=NOW).exists()
    assert not Booking.objects.filter(status="completed", ended_at__gt=NOW).exists()


@pytest.mark.usefixtures("world")
def test_what_is_running_now_is_shown() -> None:
    importers.load(few(), shift_days=0, now=NOW)

    occupancy.refresh_all(now=NOW)

    running = Booking.objects.filter(status="checked_in")
    shown = LiveTopic.objects.get(name="occ.ops").state
    assert len(shown) == 56
    assert {shown[b.space.code]["booking"] for b in running} == {b.code for b in running} != set()


@pytest.mark.usefixtures("world")
def test_rooms_are_handed_over_once_their_devices_answer_and_not_before() -> None:
    importers.load(few(), shift_days=0, now=NOW)
    space = Booking.objects.filter(status="checked_in", space__type__group="studio")[0].space

    silent = people.go_live(NOW)
    before = Command.objects.count()
    Shadow.objects.filter(device__space=space).update(link="online", last_seen_at=NOW)
    answered = people.go_live(NOW)

    assert (silent, before, answered) == (0, 0, 1)
    assert Grant.objects.get().space == space
    assert Command.objects.exclude(device__space=space).count() == 0 < Command.objects.count()


@pytest.mark.usefixtures("world")
def test_leased_units_are_apart_and_leased_rooms_are_taken() -> None:
    importers.load(few(), shift_days=0, now=NOW)

    units = Allocation.objects.filter(space__code="F1-SEL", kind="lease")
    assert sorted(units.values_list("unit", flat=True)) == list(range(1, 13))
    assert Allocation.objects.get(space__code="F2-S07", kind="lease").unit == 0
    assert Lease.objects.get(code="LS001").monthly_rent_fen == 420000


@pytest.mark.usefixtures("world")
def test_dates_move_by_whole_days() -> None:
    importers.load(few(), shift_days=3, now=NOW + timedelta(days=3))

    row = next(b for b in few()["bookings"])
    moved = Booking.objects.get(code=row["code"])
    assert moved.starts_at == datetime.fromisoformat(row["start"]) + timedelta(days=3)


@pytest.mark.usefixtures("world")
def test_a_broken_file_is_refused_with_every_fault_and_nothing_is_imported() -> None:
    broken = copy.deepcopy(few(6))
    rows = broken["bookings"]
    rows[0]["space"] = "NOWHERE"
    rows[1]["end"] = rows[1]["start"]
    del rows[2]["tenant"]
    rows[3]["status"] = "dreaming"
    rows[5] = rows[4] | {"code": "BK-TWIN"}
    rows[4]["status"] = rows[5]["status"] = "confirmed"
    broken["leases"][0]["monthly_rent_cny"] = "much"

    with pytest.raises(BrokenFile) as caught:
        importers.load(broken, shift_days=0, now=NOW)

    assert len(caught.value.faults) == 6
    assert "overlaps" in caught.value.faults[-1]
    assert (Booking.objects.count(), Lease.objects.count()) == (0, 0)


@pytest.mark.usefixtures("world")
def test_the_present_is_staged_once_beside_what_is_booked() -> None:
    importers.load(few(), shift_days=0, now=NOW)

    staged, again = present.stage(now=NOW), present.stage(now=NOW)

    rows = Booking.objects.filter(source="present")
    assert staged == rows.count() >= 6
    assert again == 0
    soon = NOW + timedelta(minutes=3)
    assert rows.filter(status="checked_in").count() >= 6
    assert rows.filter(status="confirmed", starts_at__lte=soon).count() >= 3
    assert rows.filter(status="checked_in", ends_at__lte=soon).count() >= 3


@pytest.mark.usefixtures("world")
def test_showing_56_spaces_takes_a_handful_of_queries() -> None:
    importers.load(few(), shift_days=0, now=NOW)
    occupancy.refresh_all(now=NOW)

    with fewer_queries_than(10):
        occupancy.refresh_all(now=NOW + timedelta(seconds=1))


@pytest.mark.usefixtures("world")
def test_in_bulk_everything_is_priced_reserved_and_charged_as_one_by_one() -> None:
    rows = {"leases": [], "bookings": demo()["bookings"][::9]}
    first = transaction.savepoint()
    importers.load(rows, shift_days=0, now=NOW)
    in_bulk = _books()
    transaction.savepoint_rollback(first)

    with one_by_one():
        importers.load(rows, shift_days=0, now=NOW)

    assert len(in_bulk["charges"]) > 150
    assert len(in_bulk["uses"]) > 50
    assert _books() == in_bulk


@contextmanager
def one_by_one() -> Iterator[None]:
    """Let the importer do each booking by itself, through the doors of everybody."""

    def reserve(claims: list[billing.Claim]) -> list[Quote]:
        quotes = []
        for claim in claims:
            quote = billing.quote(
                tenant=claim.tenant,
                space=claim.space,
                span=claim.span,
                purpose=claim.purpose,
                now=claim.at,
            )
            if claim.kept and not quote.suspended:
                billing.reserve(
                    source=claim.source, tenant=claim.tenant, quote=quote, now=claim.at
                )
            quotes.append(quote)
        return quotes

    def charge(finished: list[tuple[BookingFacts, datetime]]) -> None:
        for facts, at in finished:
            billing.charge_booking(facts=facts, now=at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(billing, "reserve_many", reserve)
        patch.setattr(billing, "charge_many", charge)
        yield


def _books() -> dict[str, list[Any]]:
    """All that billing has written, without the keys of rows."""
    hidden = {"id", "fact_id", "pk"}
    charges = Charge.objects.order_by("source")
    uses = PolicyUse.objects.order_by("reservation__source", "policy_code")
    return {
        "charges": [{k: v for k, v in c.items() if k not in hidden} for c in charges.values()],
        "facts": list(UsageFact.objects.order_by("source").values_list("source", "payload")),
        "uses": list(
            uses.values_list("reservation__source", "policy_code", "half_hours", "amount_fen")
        ),
        "held": list(
            Reservation.objects.order_by("source").values_list(
                "source", "month", "half_hours", "state", "settled_at", "created_at"
            )
        ),
        "budgets": list(
            Budget.objects.order_by("id").values_list("policy_code", "year", "reserved_fen")
        ),
        "quotes": list(Booking.objects.order_by("code").values_list("code", "quote", "price_fen")),
    }
