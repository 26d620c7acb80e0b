"""Locks are taken in one order, so rivals wait for each other and never in a circle.

A rival holds one row; once the deed waits for it, the rival must be able to lock everything that
comes later in the order: who waits for a tenant holds no budget yet, nor a later tenant.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import psycopg.sql
import pytest
from django.db import connection, connections

from base_ops.core.models import Site, SpaceType, Tenant
from billing import importers
from billing.models import Budget
from booking import services
from booking.models import Booking, WaitlistEntry
from booking.services import BookingWish, Change, settling
from booking.services import series as serial
from tests import make
from tests.billing.data import demo
from tests.booking import series_world, world
from tests.booking.rulings import document, rule
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _prices() -> None:
    importers.load({**demo(), "tenants": [], "training_programmes": []})


@contextmanager
def rival() -> Iterator[psycopg.Connection]:
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    url = f"{address.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")
    with psycopg.connect(url) as found:
        yield found


def waits_and_holds_nothing_later(
    deed: Callable[[], Any],
    *,
    held: tuple[str, int],
    later: list[tuple[str, int]],
    meanwhile: Callable[[], Any] = lambda: None,
) -> None:
    """Hold a row; once the deed waits for it, take all that comes later in the order."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as exc:  # noqa: BLE001 - told below
            failed.append(exc)
        finally:
            connections.close_all()

    with rival() as holder, rival() as onlooker:
        onlooker.autocommit = True
        _take(holder, *held)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            mine = [holder.info.backend_pid]
            eventually(lambda: onlooker.execute(blocked, mine).fetchone() == (1,))
            for row in later:
                _take(holder, *row)
            meanwhile()
        finally:
            holder.rollback()
            thread.join()
    assert failed == []


def _take(holder: psycopg.Connection, table: str, pk: int) -> None:
    """Lock a row, or fail at once."""
    sql = psycopg.sql.SQL("SELECT id FROM {} WHERE id = %s FOR NO KEY UPDATE NOWAIT")
    found = holder.execute(sql.format(psycopg.sql.Identifier(table)), [pk]).fetchall()
    assert found == [(pk,)]


def _after(tenant: Tenant) -> list[tuple[str, int]]:
    """A tenant, the sites and the budgets: what is locked after a tenant with a lower number."""
    sites = [("core_site", pk) for pk in Site.objects.values_list("pk", flat=True)]
    budgets = [("billing_budget", pk) for pk in Budget.objects.values_list("pk", flat=True)]
    return [("core_tenant", tenant.pk), *sites, *budgets]


def _with_discount(now: datetime, **more: Any) -> Booking:
    """A booking that takes from a budget (P08)."""
    tenant = make.tenant(compliance_rating="A", industry="jewellery", credit_limit_fen=10**12)
    space = world.studio(type=_jewel())
    booking = world.booked(now=now, tenant=tenant, space=space, start_min=26 * 60, **more)
    assert Budget.objects.filter(reserved_fen__gt=0).exists()
    return booking


def _jewel() -> SpaceType:
    found = SpaceType.objects.filter(code="studio_jewel").first()
    return found or make.space_type(code="studio_jewel")


def _in_line(booking: Booking, now: datetime) -> tuple[Tenant, Tenant]:
    """Two tenants wait for the booking's time; the first in line has the higher number."""
    low, high = (
        make.tenant(compliance_rating="A", industry="jewellery", credit_limit_fen=10**12)
        for _ in "12"
    )
    for tenant in (high, low):
        wish = BookingWish(space=booking.space, tenant=tenant, span=booking.span)
        services.wait(wish=wish, any_of=None, actor=world.actor(tenant), now=now)
    return low, high


def _cancel(booking: Booking, now: datetime) -> None:
    services.cancel(booking=booking, actor=world.STAFF, reason="x", now=now)


def _move(booking: Booking, now: datetime) -> None:
    change = Change(starts_at=booking.starts_at + 4 * HOUR)
    services.move(booking=booking, change=change, actor=world.STAFF, now=now)


def _expire(booking: Booking, now: datetime) -> None:
    Booking.objects.filter(pk=booking.pk).update(status="held", expires_at=now)
    services.expire_due(now=now)


@pytest.mark.parametrize("deed", [_cancel, _move, _expire])
def test_who_frees_a_slot_locks_everybody_in_line_before_any_budget(
    now: datetime, deed: Callable[[Booking, datetime], None]
) -> None:
    booking = _with_discount(now)
    low, high = _in_line(booking, now)

    waits_and_holds_nothing_later(
        lambda: deed(booking, now), held=("core_tenant", low.pk), later=_after(high)
    )

    offered = WaitlistEntry.objects.get(status="offered")
    assert offered.tenant == high


def test_a_series_that_is_given_back_locks_everybody_in_line_first(now: datetime) -> None:
    booking = _with_discount(now)
    asked = series_world.wish(
        booking.space, booking.tenant, booking.starts_at + 2 * HOUR, rrule="FREQ=DAILY;COUNT=3"
    )
    made = series_world.create(asked, now).series
    first = Booking.objects.filter(series=made).earliest("starts_at")
    low, high = _in_line(first, now)

    def give_back() -> None:
        serial.cancel(
            series=made, recurrence_id=None, scope="all", reason="x", actor=world.STAFF, now=now
        )

    waits_and_holds_nothing_later(give_back, held=("core_tenant", low.pk), later=_after(high))

    assert WaitlistEntry.objects.get(status="offered").tenant == high


def test_a_swap_locks_both_tenants_before_any_budget(now: datetime) -> None:
    other = _with_discount(now)
    one = _with_discount(now)
    low, high = other.tenant, one.tenant

    def swap() -> None:
        services.swap(one=one, other=other, actor=world.STAFF, now=now)

    waits_and_holds_nothing_later(swap, held=("core_tenant", low.pk), later=_after(high))


def test_a_new_price_locks_the_budgets_of_both_years_in_their_order() -> None:
    now = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
    booking = _with_discount(now)
    before, after = Budget.objects.filter(policy_code="P08").order_by("year")

    def move_into_this_year() -> None:
        change = Change(starts_at=now + 6 * HOUR)
        services.move(booking=booking, change=change, actor=world.STAFF, now=now)

    assert (before.pk < after.pk, after.reserved_fen > 0) == (True, True)
    waits_and_holds_nothing_later(
        move_into_this_year,
        held=("billing_budget", before.pk),
        later=[("billing_budget", after.pk)],
    )
    before.refresh_from_db()
    after.refresh_from_db()
    assert (before.reserved_fen > 0, after.reserved_fen) == (True, 0)


def test_a_hold_that_runs_out_while_its_confirmation_waits_is_over(now: datetime) -> None:
    """Whoever counts after its end leaves it out, so it must not come back beside them."""
    rules = document(rule("concurrent", most=1))
    services.publish_rules(document=rules, actor=world.STAFF, now=now)
    held = world.booked(now=now, hold=True)
    assert held.expires_at is not None
    over, reads, answers = held.expires_at, [held.expires_at - HOUR], []

    def confirm() -> None:
        try:
            services.confirm(
                booking=held, actor=world.STAFF, clock=lambda: reads[-1], now=over - HOUR
            )
        except settling.HoldExpired as exc:
            answers.append(exc.code)

    def time_passes() -> None:
        reads.append(over)

    waits_and_holds_nothing_later(
        confirm, held=("core_tenant", held.tenant.pk), later=[], meanwhile=time_passes
    )
    rival = world.booked(now=over, tenant=held.tenant)

    held.refresh_from_db()
    assert (answers, held.status, rival.status) == (["hold_expired"], "held", "confirmed")
