"""What leases cost: quotes say what will be charged; early ends give back; deposits add up."""

from datetime import date, timedelta

import pytest
from django.db.models import Sum

from base_ops.core.months import add_months, months_of
from billing.models import Budget, Charge, PolicyUse
from booking import services
from booking.models import Lease
from booking.services import deposits, lease_ending, lease_wishes, leasing
from booking.services.lease_changing import AlreadyRenewed
from tests import make
from tests.booking import lets
from tests.booking.lets import FINANCE, NOW

pytestmark = pytest.mark.usefixtures("prices")


def charged(lease: Lease) -> dict[str, int]:
    """Fen by month, credits included."""
    rows = Charge.objects.filter(fact__source__startswith=f"lease/{lease.code}/")
    sums = rows.values_list("service_on").annotate(n=Sum("gross_fen")).order_by("service_on")
    return {f"{month:%Y-%m}": n for month, n in sums}


def run_months(first: date, last: date) -> None:
    for month in months_of(first, last):
        services.charge_leases(now=lets.noon(month))


def terminated(lease: Lease, last_day: date, today: date) -> Lease:
    return lease_ending.terminate(
        lease=lease, last_day=last_day, reason="x", by_agreement=True, actor=FINANCE,
        now=lets.noon(today),
    )  # fmt: skip


def test_rent_is_the_tariffs_unless_agreed() -> None:
    studio = leasing.draft(wish=lets.wish(lets.studio()), actor=FINANCE, now=NOW)
    desks = leasing.draft(
        wish=lets.wish(lets.desks(6), unit_numbers=(1, 2)), actor=FINANCE, now=NOW
    )
    agreed = leasing.draft(
        wish=lets.wish(lets.studio(), monthly_rent_fen=0), actor=FINANCE, now=NOW
    )

    assert (studio.monthly_rent_fen, studio.deposit_fen) == (420_000, 840_000)
    assert (desks.monthly_rent_fen, agreed.monthly_rent_fen) == (100_000, 0)


@pytest.mark.parametrize("free_months", [0, 1])
def test_the_quote_is_what_will_be_charged(free_months: int) -> None:
    wish = lets.wish(
        lets.studio(), starts_on=date(2026, 11, 16), ends_on=date(2027, 3, 2),
        free_months=free_months, policy_code="P02",
    )  # fmt: skip
    offer = lease_wishes.offer(wish=wish, now=NOW)
    lease = leasing.draft(wish=wish, actor=FINANCE, now=NOW)
    leasing.sign(lease=lease, actor=FINANCE, now=NOW)

    run_months(date(2026, 11, 1), date(2027, 4, 1))

    quoted = {f"{m:%Y-%m}": sum(entry.gross_fen for entry in lines) for m, lines in offer.months}
    assert charged(lease) == quoted
    assert sum(quoted.values()) == offer.total_fen > 0


def test_a_free_month_from_the_16th_ends_on_a_15th() -> None:
    lease = lets.signed(
        lets.studio(), starts_on=date(2026, 11, 16), ends_on=date(2027, 2, 16), free_months=1,
        monthly_rent_fen=310_000,
    )  # fmt: skip

    run_months(date(2026, 11, 1), date(2027, 2, 1))

    assert charged(lease) == {
        "2026-11": 0,
        "2026-12": 310_000 - 150_000,  # 15 of 31 days are free
        "2027-01": 310_000,
        "2027-02": 166_071,  # 15 of 28 days
    }


def test_a_renewal_in_the_middle_of_a_month_bills_every_day_once() -> None:
    lease = lets.signed(
        lets.studio(), starts_on=date(2026, 11, 16), ends_on=date(2026, 12, 16),
        monthly_rent_fen=310_000,
    )  # fmt: skip
    following = leasing.renew(
        lease=lease, renewal=leasing.Renewal(1, monthly_rent_fen=620_000), actor=FINANCE, now=NOW
    )

    run_months(date(2026, 11, 1), date(2027, 2, 1))

    assert charged(lease) == {"2026-11": 155_000, "2026-12": 150_000}
    assert charged(following) == {"2026-12": 320_000, "2027-01": 300_000}


def test_relief_counts_its_years_from_the_first_lease() -> None:
    tenant = make.tenant(registered_in_panyu=True)
    lease = lets.signed(
        lets.studio(), tenant=tenant, starts_on=date(2026, 11, 1), ends_on=date(2027, 11, 1),
        policy_code="P02",
    )  # fmt: skip
    following = leasing.renew(lease=lease, renewal=leasing.Renewal(2), actor=FINANCE, now=NOW)

    run_months(date(2026, 11, 1), date(2027, 11, 1))

    assert charged(lease)["2027-10"] == 210_000  # 50 % in the first year
    assert charged(following)["2027-11"] == 294_000  # 30 % in the second


def test_an_early_end_gives_back_what_was_charged_beyond_it() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), monthly_rent_fen=300_000)
    services.charge_leases(now=NOW)

    terminated(lease, date(2026, 11, 20), today=date(2026, 11, 12))
    run_months(date(2026, 12, 1), date(2027, 1, 1))

    assert charged(lease) == {"2026-11": 200_000}
    credit = Charge.objects.get(kind="credit")
    assert (credit.document, credit.gross_fen) == ("credit_note", -100_000)


def test_an_end_brought_forward_twice_gives_back_the_difference() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), monthly_rent_fen=300_000)
    services.charge_leases(now=NOW)

    terminated(lease, date(2026, 11, 20), today=date(2026, 11, 12))
    terminated(lease, date(2026, 11, 15), today=date(2026, 11, 12))

    assert charged(lease) == {"2026-11": 150_000}
    assert list(Charge.objects.filter(kind="credit").values_list("gross_fen", flat=True)) == [
        -100_000, -50_000,
    ]  # fmt: skip


def test_an_early_end_within_the_free_period_gives_nothing_back() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), free_months=1)
    services.charge_leases(now=NOW)

    terminated(lease, date(2026, 11, 20), today=date(2026, 11, 12))

    assert charged(lease) == {"2026-11": 0}


def test_relief_that_is_given_back_returns_to_its_budget() -> None:
    lease = lets.signed(
        lets.studio(), starts_on=date(2026, 11, 1), policy_code="P02", monthly_rent_fen=300_000
    )
    services.charge_leases(now=NOW)
    reserved = Budget.objects.get(policy_code="P02", year=2026).reserved_fen

    terminated(lease, date(2026, 11, 20), today=date(2026, 11, 12))

    budget = Budget.objects.get(policy_code="P02", year=2026)
    assert charged(lease) == {"2026-11": 100_000}
    assert (reserved, budget.reserved_fen) == (150_000, 100_000)
    assert PolicyUse.objects.get(policy_code="P02").amount_fen == 100_000


def test_a_withdrawn_lease_owes_nothing_though_its_month_was_charged() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 20))
    services.charge_leases(now=NOW)
    before = charged(lease)

    lease_ending.withdraw(lease=lease, reason="x", actor=FINANCE, now=NOW)
    services.charge_leases(now=lets.noon(date(2026, 12, 1)))

    assert before == {"2026-11": 154_000}  # 11 of 30 days
    assert charged(lease) == {"2026-11": 0}


def test_a_draft_owes_nothing() -> None:
    leasing.draft(
        wish=lets.wish(lets.studio(), starts_on=date(2026, 11, 1)), actor=FINANCE, now=NOW
    )

    assert services.charge_leases(now=NOW) == 0


def test_months_by_the_calendar() -> None:
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert add_months(date(2026, 12, 31), -1) == date(2026, 11, 30)
    assert add_months(date(2026, 1, 15), -13) == date(2024, 12, 15)


def test_a_deposit_comes_in_parts_and_goes_back_after_the_lease() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 1))
    day = date(2026, 11, 10)

    def receive(amount_fen: int) -> Lease:
        return deposits.receive(lease=lease, amount_fen=amount_fen, on=day, actor=FINANCE, now=NOW)

    def back(amount_fen: int, now_on: date) -> Lease:
        return deposits.give_back(
            lease=lease, amount_fen=amount_fen, on=now_on, note="扣保洁费", actor=FINANCE,
            now=lets.noon(now_on),
        )  # fmt: skip

    receive(500_000)
    with pytest.raises(deposits.DepositMismatch):
        receive(340_001)
    receive(340_000)
    with pytest.raises(deposits.DepositStillHeld):
        back(1, date(2026, 11, 30))
    services.end_leases(now=lets.noon(date(2026, 12, 1)))
    with pytest.raises(deposits.DepositMismatch):
        back(840_001, date(2026, 12, 2))
    row = back(800_000, date(2026, 12, 2))

    assert (row.deposit_received_fen, row.deposit_returned_fen) == (840_000, 800_000)
    assert (row.deposit_received_on, row.deposit_returned_on) == (day, date(2026, 12, 2))


def test_a_deposit_serves_the_lease_that_follows() -> None:
    lease = lets.signed(lets.studio(), starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 1))
    leasing.renew(lease=lease, renewal=leasing.Renewal(1), actor=FINANCE, now=NOW)
    deposits.receive(lease=lease, amount_fen=10, on=date(2026, 11, 1), actor=FINANCE, now=NOW)
    later = NOW + timedelta(days=30)
    services.end_leases(now=later)

    with pytest.raises(AlreadyRenewed):
        deposits.give_back(
            lease=lease, amount_fen=10, on=date(2026, 12, 1), note="", actor=FINANCE, now=later
        )
