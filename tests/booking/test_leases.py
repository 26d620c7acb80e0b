"""Leases take spaces and units, are renewed, end early, end; never two at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from base_ops.core.models import AuditEntry
from booking import selectors, services
from booking.domain import leases
from booking.models import Allocation, Lease
from booking.services import blocking, lease_ending, lease_wishes, leasing
from booking.services.lease_changing import AlreadyRenewed
from tests import make
from tests.booking import lets, world
from tests.booking.lets import FINANCE, NOW

pytestmark = pytest.mark.usefixtures("prices")
MIDNIGHT = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # 1 December 00:00 in the base


def only_conflict(refusal: blocking.SpaceTaken) -> Any:
    conflicts: Any = refusal.context["conflicts"]
    assert len(conflicts) == 1
    return conflicts[0]


def units(lease: Lease) -> list[int]:
    return selectors.unit_numbers(selectors.lease_for(code=lease.code, tenant_id=None))


def terminated(lease: Lease, last_day: date, **changes: object) -> Lease:
    return lease_ending.terminate(
        lease=lease, last_day=last_day, reason="搬迁", actor=FINANCE, now=NOW,
        **{"by_agreement": True} | changes,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_draft_takes_nothing_and_signing_takes_the_days_by_the_base_clock() -> None:
    space = lets.studio()
    draft = leasing.draft(wish=lets.wish(space), actor=FINANCE, now=NOW)
    before = Allocation.objects.count()

    lease = leasing.sign(lease=draft, actor=FINANCE, now=NOW)

    row = Allocation.objects.get(lease=lease)
    assert (before, lease.status, row.unit) == (0, "signed", 0)
    assert (row.span.start, row.span.end) == (
        MIDNIGHT,
        datetime(2027, 2, 28, 16, 0, tzinfo=UTC),
    )


def test_a_booking_in_the_way_is_named_with_the_days_that_are_free() -> None:
    space = lets.studio()
    start = MIDNIGHT + timedelta(days=2)
    booking = world.booked(now=NOW, space=space, start_min=int((start - NOW).total_seconds() / 60))

    with pytest.raises(blocking.SpaceTaken) as refusal:
        lets.signed(space)

    conflict = only_conflict(refusal.value)
    assert (conflict["kind"], conflict["booking"]) == ("booking", booking.code)
    assert conflict["tenant"] == booking.tenant.code
    free = refusal.value.context["free_spans"]
    assert [gap["from"] for gap in free] == [  # type: ignore[attr-defined]
        leases.midnight(date(2026, 12, 1)).isoformat(),
        (booking.ends_at + timedelta(minutes=15)).isoformat(),
    ]
    assert not Allocation.objects.filter(kind="lease").exists()


def test_a_hold_whose_time_is_over_is_in_nobodys_way() -> None:
    space = lets.studio()
    start = MIDNIGHT + timedelta(days=2)
    minutes = int((start - NOW).total_seconds() / 60)
    world.booked(now=NOW, space=space, start_min=minutes, hold=True)

    with pytest.raises(blocking.SpaceTaken):
        lets.signed(space, now=NOW + timedelta(minutes=9))
    lease = lets.signed(space, now=NOW + timedelta(minutes=10))

    assert list(Allocation.objects.filter(active=True).values_list("lease", flat=True)) == [
        lease.pk
    ]


def test_taken_units_are_named_and_free_ones_are_offered() -> None:
    space = lets.desks(6)
    first = lets.signed(space, unit_numbers=(2, 3))

    with pytest.raises(blocking.SpaceTaken) as refusal:
        lets.signed(space, unit_numbers=(3, 4))

    conflict = only_conflict(refusal.value)
    assert (conflict["unit"], conflict["lease"]) == (3, first.code)
    assert refusal.value.context["free_units"] == [1, 4, 5, 6]


def test_so_many_units_are_neighbours_where_there_are_any() -> None:
    space = lets.desks(7)
    lets.signed(space, unit_numbers=(2, 4))

    three = lets.signed(space, unit_count=3)
    two = lets.signed(space, unit_count=2)

    assert (units(three), units(two)) == ([5, 6, 7], [1, 3])
    with pytest.raises(blocking.SpaceTaken) as refusal:
        lets.signed(space, unit_count=1)
    assert refusal.value.context["free_units"] == []


def test_all_of_a_divided_space_is_all_of_its_units() -> None:
    space = lets.desks(4)
    whole = lets.signed(space)

    assert (units(whole), whole.units) == ([1, 2, 3, 4], 4)
    with pytest.raises(blocking.SpaceTaken):
        lets.signed(space, unit_numbers=(1,))


def test_leases_that_follow_each_other_share_no_day_and_leave_none() -> None:
    space = lets.studio()
    lets.signed(space)

    with pytest.raises(blocking.SpaceTaken):
        lets.signed(space, starts_on=date(2027, 2, 28), ends_on=date(2027, 3, 2))
    lets.signed(space, starts_on=date(2027, 3, 1), ends_on=date(2027, 4, 1))
    lets.signed(space, starts_on=date(2026, 11, 30), ends_on=date(2026, 12, 1))


def test_nobody_books_a_leased_room() -> None:
    space = lets.studio()
    lets.signed(space)
    start = MIDNIGHT + timedelta(days=40)

    with pytest.raises(services.SlotTaken):
        world.booked(now=NOW, space=space, start_min=int((start - NOW).total_seconds() / 60))


def test_every_broken_rule_is_named() -> None:
    space = lets.desks(3, bookable=False)
    space.rentable_monthly = False
    rated_d = make.tenant(compliance_rating="D")

    with pytest.raises(lease_wishes.LeaseRefused) as refusal:
        leasing.draft(
            wish=lets.wish(
                space, tenant=rated_d, unit_count=4, starts_on=date(2026, 9, 30),
                ends_on=date(2026, 11, 10), free_months=2,
            ),
            actor=FINANCE,
            now=NOW,
        )  # fmt: skip

    assert [f.name for f in refusal.value.fields] == [
        "space", "unit_count", "starts_on", "last_day", "free_months", "tenant",
    ]  # fmt: skip


@pytest.mark.parametrize("numbers", [(0,), (4,), (1, 9)])
def test_units_that_do_not_exist_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(blocking.UnknownUnits):
        leasing.draft(wish=lets.wish(lets.desks(3), unit_numbers=numbers), actor=FINANCE, now=NOW)


@pytest.mark.parametrize(
    ("since", "ends_on", "months", "expected"),
    [
        (date(2026, 12, 31), date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 2, 28), 1, date(2027, 3, 31)),
        (date(2027, 8, 31), date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2024, 2, 29), date(2025, 2, 28), 36, date(2028, 2, 29)),
        (date(2026, 12, 1), date(2027, 1, 15), 1, date(2027, 2, 15)),
    ],
)
def test_renewals_count_months_from_the_first_day_of_all(
    since: date, ends_on: date, months: int, expected: date
) -> None:
    assert leases.renewed_end(since=since, ends_on=ends_on, months=months) == expected


def test_a_renewal_keeps_units_and_chain_at_another_rent() -> None:
    space = lets.desks(6)
    lease = lets.signed(space, unit_numbers=(2, 5))

    second = leasing.renew(
        lease=lease, renewal=leasing.Renewal(months=2, monthly_rent_fen=111_100), actor=FINANCE,
        now=NOW,
    )  # fmt: skip
    third = leasing.renew(lease=second, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)

    assert (second.renews, third.renews) == (lease, second)
    assert units(lease) == units(second) == units(third) == [2, 5]
    assert (second.starts_on, second.ends_on, third.ends_on) == (
        date(2027, 3, 1), date(2027, 5, 1), date(2027, 6, 1),
    )  # fmt: skip
    assert (lease.monthly_rent_fen, second.monthly_rent_fen, third.monthly_rent_fen) == (
        100_000, 111_100, 111_100,
    )  # fmt: skip
    assert third.since == date(2026, 12, 1)
    with pytest.raises(AlreadyRenewed) as refusal:
        leasing.renew(lease=lease, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)
    assert refusal.value.context["renewal"] == second.code


def test_a_renewal_that_somebody_stands_in_the_way_of_changes_nothing() -> None:
    space = lets.studio()
    lease = lets.signed(space)
    other = lets.signed(space, starts_on=date(2027, 4, 1), ends_on=date(2027, 5, 1))

    with pytest.raises(blocking.SpaceTaken) as refusal, transaction.atomic():
        leasing.renew(lease=lease, renewal=leasing.Renewal(2), actor=FINANCE, now=NOW)

    assert only_conflict(refusal.value)["lease"] == other.code
    assert not Lease.objects.filter(renews=lease).exists()
    leasing.renew(lease=lease, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)


def test_the_database_lets_a_lease_be_renewed_once() -> None:
    lease = lets.signed(lets.studio())
    leasing.renew(lease=lease, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)

    with pytest.raises(IntegrityError, match="lease_renewed_once"), transaction.atomic():
        Lease.objects.create(
            code="LSX", tenant=lease.tenant, space=lease.space, renews=lease,
            starts_on=date(2030, 1, 1), ends_on=date(2030, 2, 1), monthly_rent_fen=1,
        )  # fmt: skip


def test_an_early_end_frees_the_time_after_it() -> None:
    space = lets.studio()
    lease = lets.signed(space)

    terminated(lease, date(2027, 1, 15))

    lease.refresh_from_db()
    assert (lease.status, lease.ends_on, lease.agreed_ends_on) == (
        "noticed", date(2027, 1, 16), date(2027, 3, 1),
    )  # fmt: skip
    with pytest.raises(blocking.SpaceTaken):
        lets.signed(space, starts_on=date(2027, 1, 15), ends_on=date(2027, 2, 1))
    lets.signed(space, starts_on=date(2027, 1, 16), ends_on=date(2027, 2, 1))


def test_an_early_end_may_come_earlier_still_but_never_later() -> None:
    lease = lets.signed(lets.studio())
    terminated(lease, date(2027, 1, 15))

    terminated(lease, date(2026, 12, 31))

    lease.refresh_from_db()
    assert (lease.ends_on, lease.agreed_ends_on) == (date(2027, 1, 1), date(2027, 3, 1))
    with pytest.raises(lease_ending.NotEarlier):
        terminated(lease, date(2026, 12, 31))


def test_notice_counts_by_the_calendar_unless_both_sides_agree() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), notice_months=2)

    with pytest.raises(lease_ending.NoticeTooShort) as refusal:
        terminated(lease, date(2027, 1, 9), by_agreement=False)

    assert refusal.value.context["earliest"] == "2027-01-10"
    terminated(lease, date(2027, 1, 10), by_agreement=False)


def test_notice_from_the_31st_ends_with_a_short_month() -> None:
    given = leases.earliest_end(given_on=date(2027, 1, 31), notice_months=1)

    assert given == date(2027, 3, 1)  # the last day is 28 February


@pytest.mark.parametrize("last_day", [date(2026, 11, 9), date(2026, 11, 30), date(2027, 2, 28)])
def test_the_last_day_lies_in_the_rest_of_the_lease(last_day: date) -> None:
    lease = lets.signed(lets.studio())

    with pytest.raises(lease_ending.NotEarlier):
        terminated(lease, last_day)


def test_what_follows_must_be_withdrawn_before_an_early_end() -> None:
    space = lets.studio()
    lease = lets.signed(space)
    following = leasing.renew(lease=lease, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)

    with pytest.raises(AlreadyRenewed):
        terminated(lease, date(2027, 1, 15))
    lease_ending.withdraw(lease=following, reason="不续了", actor=FINANCE, now=NOW)
    terminated(lease, date(2027, 1, 15))

    assert not Allocation.objects.filter(lease=following, active=True).exists()


def test_only_what_has_not_begun_is_withdrawn() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 11))
    begun = lets.signed(lets.studio(), starts_on=date(2026, 11, 10))

    lease_ending.withdraw(lease=lease, reason="未入驻", actor=FINANCE, now=NOW)

    with pytest.raises(lease_ending.LeaseBegan):
        lease_ending.withdraw(lease=begun, reason="未入驻", actor=FINANCE, now=NOW)
    lease.refresh_from_db()
    assert lease.status == "withdrawn"


def test_a_lease_ends_at_midnight_after_its_last_day_and_only_once() -> None:
    lease = lets.signed(lets.studio())
    over = datetime(2027, 2, 28, 16, 0, tzinfo=UTC)

    ended = [services.end_leases(now=at) for at in (over - timedelta(seconds=1), over, over)]

    lease.refresh_from_db()
    assert (ended, lease.status, lease.ended_at) == ([0, 1, 0], "ended", over)


def test_an_end_is_told_of_once_60_days_ahead_unless_it_was_renewed() -> None:
    lease, renewed = lets.signed(lets.studio()), lets.signed(lets.studio())
    leasing.renew(lease=renewed, renewal=leasing.Renewal(12), actor=FINANCE, now=NOW)
    day = date(2027, 3, 1) - timedelta(days=60)

    told = [services.tell_ending(now=lets.noon(at)) for at in (day - timedelta(days=1), day, day)]

    lease.refresh_from_db()
    assert told == [0, 1, 0]
    assert lease.told_at == lets.noon(day)


def test_who_did_what_when_and_why_is_on_record() -> None:
    lease = lets.signed(lets.studio())
    terminated(lease, date(2027, 1, 15))
    services.end_leases(now=lets.noon(date(2027, 1, 16)))

    rows = AuditEntry.objects.filter(object_type="lease", object_code=lease.code).order_by("id")

    assert list(rows.values_list("action", "actor_label")) == [
        ("lease.draft", FINANCE.label),
        ("lease.sign", FINANCE.label),
        ("lease.terminate", FINANCE.label),
        ("lease.end", "system"),
    ]
    assert [r.after["status"] for r in rows if r.after] == ["draft", "signed", "noticed", "ended"]
    why = rows[2].after
    assert why is not None
    assert (why["why"], why["last_day"]) == ("搬迁", "2027-01-15")


def test_the_table_lets_no_deed_start_from_an_end() -> None:
    for status in (leases.Status.ENDED, leases.Status.WITHDRAWN):
        assert leases.possible(status) == []
        for deed in leases.Deed:
            with pytest.raises(leases.WrongLeaseState):
                leases.after(status, deed)
