"""The golden invoices again, through the loaded base, its tenants and the public services."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from base_ops.core import importers as core
from base_ops.core import money
from base_ops.core.models import Space, Tenant
from billing import importers, services
from billing.domain.facts import BookingFacts, FaultFacts, LeaseFacts
from billing.models import Charge
from tests.billing.data import base, demo, span
from tests.billing.test_golden import CASES, Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> None:
    core.load_base(base())
    core.load_tenants(demo())
    importers.load(demo())


def charged(code: str, case: Case, now: datetime) -> list[Charge]:
    tenant = Tenant.objects.get(code=case.tenant)
    space = Space.objects.select_related("type").get(code=case.space)
    when = span(case.start, case.hours)
    quote = services.quote(tenant=tenant, space=space, span=when, services=case.services, now=now)
    facts = BookingFacts(
        booking_code=code,
        tenant_id=tenant.pk,
        space_id=space.pk,
        span=when,
        outcome=case.outcome,  # type: ignore[arg-type]
        quote=quote.as_json(),
    )
    lines = services.charge_booking(facts=facts, now=now)
    if case.outage_min:
        fault = FaultFacts(
            fault_code=code, booking_code=code, outage_min=case.outage_min, evidence={}
        )
        lines += services.credit_fault(facts=fault, now=now)
    return lines


def leased(now: datetime) -> list[Charge]:
    lease = next(x for x in demo()["leases"] if x["code"] == "LS001")
    facts = LeaseFacts(
        lease_code=lease["code"],
        tenant_id=Tenant.objects.get(code=lease["tenant"]).pk,
        space_id=Space.objects.get(code=lease["space"]).pk,
        month=date(2026, 11, 1),
        starts_on=date.fromisoformat(lease["start"]),
        ends_on=date.fromisoformat(lease["end"]),
        area_m2=Decimal(str(lease["area_m2"])),
        policy=lease["policy"],
    )
    return services.charge_lease(facts=facts, now=now)


@pytest.mark.usefixtures("world")
def test_every_golden_invoice_comes_out_of_the_loaded_world(later: datetime) -> None:
    found = {code: charged(code, case, later) for code, case in CASES.items()}
    found["G07"] = leased(later)

    for golden in demo()["golden_invoices"]:
        lines = [
            (
                c.description_zh,
                money.yuan(c.gross_fen),
                money.yuan(c.net_fen),
                money.yuan(c.vat_fen),
            )
            for c in found[golden["code"]]
        ]
        assert lines == [
            (x["description_zh"], x["amount"], x["net"], x["vat"]) for x in golden["lines"]
        ], golden["code"]
