"""What bookings and leases reserve, and what becomes of it when they are charged."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from billing import services
from billing.domain.catalog import NotPriced
from billing.domain.facts import LeaseFacts
from billing.domain.quote import Quote
from billing.models import Budget, Charge, UsageFact
from tests import make
from tests.billing.data import span
from tests.billing.run_world import approved
from tests.billing.world import finished, room


@pytest.mark.usefixtures("prices")
def test_a_changed_booking_replaces_its_reservation(later: datetime) -> None:
    tenant, space = make.tenant(industry="jewellery"), room("studio_jewel")
    budget = Budget.objects.filter(policy_code="P08", year=2026)

    def booked(hours: int) -> int:
        quote = services.quote(
            tenant=tenant,
            space=space,
            span=span("11-18 19:00", hours),
            ignore_source="booking/B",
            now=later,
        )
        services.reserve(source="booking/B", tenant=tenant, quote=quote, now=later)
        return quote.discount_fen

    booked(4)

    assert booked(2) == budget.get().reserved_fen == 9600
    services.release(source="booking/B", now=later)
    services.release(source="booking/B", now=later)
    assert budget.get().reserved_fen == 0


@pytest.mark.usefixtures("prices")
def test_many_rooms_are_priced_at_once_and_unpriced_ones_are_left_out(later: datetime) -> None:
    tenant, hourly, monthly = make.tenant(), room(), room("incubator")
    when = span("11-18 10:00", 2)

    found = services.quote_many(tenant=tenant, spaces=[hourly, monthly], span=when, now=later)

    assert {pk: q.total_fen for pk, q in found.items()} == {hourly.pk: 12_000}
    with pytest.raises(NotPriced):
        services.quote(tenant=tenant, space=monthly, span=when, now=later)


@pytest.mark.usefixtures("prices")
def test_lease_months_are_charged_once_and_their_relief_is_budgeted(later: datetime) -> None:
    tenant, space = make.tenant(compliance_rating="A"), room(name_zh="单人直播间07")
    facts = LeaseFacts(
        lease_code="LS1",
        tenant_id=tenant.pk,
        space_id=space.pk,
        month=date(2026, 11, 1),
        starts_on=date(2026, 3, 1),
        ends_on=date(2027, 2, 28),
        area_m2=Decimal(15),
        policy="P02",
    )
    first = services.charge_lease(facts=facts, now=later)
    again = services.charge_lease(facts=facts, now=later)
    approved(later)
    services.issue_due(later)

    assert [c.gross_fen for c in first] == [420_000, -210_000]
    assert [c.pk for c in again] == [c.pk for c in first]
    budget = Budget.objects.get(policy_code="P02", year=2026)
    assert (budget.reserved_fen, budget.committed_fen) == (0, 210_000)


@pytest.mark.usefixtures("prices")
def test_monthly_use_counts_other_bookings_but_not_the_one_being_priced(later: datetime) -> None:
    tenant, space = make.tenant(joined_on=date(2026, 6, 1)), room()

    def quoted(day: int, source: str) -> Quote:
        quote = services.quote(
            tenant=tenant,
            space=space,
            span=span(f"11-{day} 10:00", 8),
            ignore_source=source,
            now=later,
        )
        services.reserve(source=source, tenant=tenant, quote=quote, now=later)
        return quote

    first, again = quoted(16, "booking/1"), quoted(16, "booking/1")
    second, third = quoted(17, "booking/2"), quoted(18, "booking/3")

    free = [next(v.half_hours for v in q.policies if v.code == "P01") for q in (first, second)]
    assert again == first
    assert free == [16, 4]
    assert next(v for v in third.policies if v.code == "P01").verdict == "refused"


@pytest.mark.usefixtures("prices")
def test_one_fact_is_charged_once(later: datetime) -> None:
    tenant, space = make.tenant(), room()
    first = finished(
        tenant=tenant, space=space, span=span("11-16 10:00", 4), now=later, booking_code="BKX"
    )

    again = finished(
        tenant=tenant,
        space=space,
        span=span("11-16 10:00", 4),
        now=later,
        booking_code="BKX",
        outcome="no_show",
    )

    assert [c.pk for c in again] == [c.pk for c in first]
    assert (UsageFact.objects.count(), Charge.objects.count()) == (1, len(first))


@pytest.mark.usefixtures("prices")
def test_budgets_are_reserved_committed_and_released(later: datetime) -> None:
    tenant = make.tenant(industry="jewellery", compliance_rating="B")
    space = room("studio_jewel")
    budget = Budget.objects.get(policy_code="P08", year=2026)
    finished(tenant=tenant, space=space, span=span("11-18 19:00", 4), now=later)
    budget.refresh_from_db()
    assert (budget.reserved_fen, budget.committed_fen) == (17_400, 0)

    approved(later)
    services.issue_due(later)
    finished(tenant=tenant, space=space, span=span("11-19 19:00", 4), now=later, outcome="no_show")

    budget.refresh_from_db()
    assert (budget.reserved_fen, budget.committed_fen) == (0, 17_400)
