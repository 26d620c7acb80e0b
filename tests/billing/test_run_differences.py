"""What is surprising about a run beside the month before: pure, then through a preview."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base_ops.core.actors import SYSTEM
from billing import services
from billing.domain.differences import Beside, Figures, Limits, surprises
from billing.domain.facts import LeaseFacts
from billing.models import Invoice, PolicyRow, RunDifference
from billing.services import comparing
from tests import make
from tests.billing.data import span
from tests.billing.run_world import november
from tests.billing.world import finished, room

LIMITS = Limits(change_percent=50, change_from_fen=1000)
KINDS = ("room", "discount", "service", "lease", "fee", "overtime", "energy", "credit")
figures = st.none() | st.builds(
    Figures,
    st.dictionaries(st.sampled_from(KINDS), st.integers(-(10**9), 10**9), min_size=1),
    st.dictionaries(st.sampled_from(["P01", "P08"]), st.integers(-(10**6), 0)),
)


NOTHING = Beside()


def codes(now: Figures | None, before: Figures | None, beside: Beside = NOTHING) -> list[str]:
    found = surprises(
        now, before, beside, limits=LIMITS,
        lapsed=lambda code: date(2026, 10, 31) if code == "P08" else None,
    )  # fmt: skip
    return [surprise.code for surprise in found]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (Figures({"room": 5000}), None, ["tenant_new"]),
        (None, Figures({"room": 5000}), ["tenant_vanished"]),
        (Figures({"room": 1500}), Figures({"room": 1000}), []),  # too little
        (Figures({"room": 14999}), Figures({"room": 10000}), []),
        (Figures({"room": 15000}), Figures({"room": 10000}), ["change_beyond"]),
        (Figures({"room": 5000}), Figures({"room": 10000}), ["change_beyond"]),
        (Figures({"room": 100, "fee": 9}), Figures({"room": 100}), ["unusual_lines"]),
        (Figures({"room": 100, "service": 9}), Figures({"room": 100}), []),
        (Figures({"room": 100}), Figures({"lease": 100}), ["lease_missing"]),
        (Figures({"room": 100}), Figures({"room": 100}, {"P01": -5}), ["discount_ended"]),
        (Figures({"room": 100}), Figures({"room": 100}, {"P08": -5}), ["policy_lapsed"]),
        (Figures({"service": 100}), Figures({"service": 100}, {"P01": -5}), []),
        (Figures({"room": 100}, {"P01": -1}), Figures({"room": 100}, {"P01": -5}), []),
    ],
)
def test_each_surprise_has_its_reason(
    now: Figures | None, before: Figures | None, expected: list[str]
) -> None:
    assert codes(now, before) == expected


def test_some_things_are_surprising_whatever_was_before() -> None:
    beside = Beside(wrong_sign=(-5,), unmeasured=2, late=3, late_fen=7, lacks_uscc=True)

    found = codes(Figures({"room": 100}), Figures({"room": 100}), beside)

    assert found == ["wrong_sign", "meter_missing", "late_charges", "buyer_incomplete"]


@given(figures, figures)
@settings(max_examples=1000, deadline=None)
def test_only_what_differs_surprises_and_always_in_both_languages(
    now: Figures | None, before: Figures | None
) -> None:
    found = surprises(now, before, Beside(), limits=LIMITS, lapsed=lambda _: None)

    assert codes(now, now) == []
    assert all(s.reason.zh and s.reason.en and s.reason.zh != s.reason.en for s in found)
    assert ((now is None) != (before is None)) == (
        bool({s.code for s in found} & {"tenant_new", "tenant_vanished"})
    )


def test_a_month_is_compared_with_a_month_and_days_with_as_many_days() -> None:
    assert comparing.before(date(2026, 3, 1), date(2026, 3, 31)) == (
        date(2026, 2, 1),
        date(2026, 2, 28),
    )
    assert comparing.before(date(2026, 3, 11), date(2026, 3, 20)) == (
        date(2026, 3, 1),
        date(2026, 3, 10),
    )


def told(run_id: int) -> dict[str, list[str]]:
    """The codes of a run's surprises by tenant; meters are another test's."""
    return {
        row.tenant.code: [s["code"] for s in row.surprises if s["code"] != "meter_missing"]
        for row in RunDifference.objects.filter(run_id=run_id).select_related("tenant")
    }


def _october(later: datetime) -> None:
    run = services.preview_run(
        period_from=date(2026, 10, 1), period_to=date(2026, 10, 31), actor=SYSTEM, now=later
    )
    services.approve_run(run_id=run.pk, actor=SYSTEM, now=later)
    services.ask_issue(run_id=run.pk, actor=SYSTEM, now=later)
    services.issue_due(later)


@pytest.mark.usefixtures("prices")
def test_a_preview_tells_what_differs_from_the_month_before(later: datetime) -> None:
    space, desk, studio = room(), room("incubator"), room("studio_jewel")
    steady, gone, fresh, lessee = (make.tenant() for _ in range(4))
    jeweller = make.tenant(industry="jewellery")
    for who in (steady, gone):
        finished(tenant=who, space=space, span=span("10-16 10:00", 8), now=later)
    lease = LeaseFacts(
        "LS9", lessee.pk, desk.pk, date(2026, 10, 1), date(2026, 3, 1), date(2027, 2, 28), units=2
    )
    services.charge_lease(facts=lease, now=later)
    night = span("10-21 19:00", 4)
    charges = finished(tenant=jeweller, space=studio, span=night, now=later)
    given = {c.policy for c in charges if c.policy}
    _october(later)
    PolicyRow.objects.filter(code__in=given).update(valid_to=date(2026, 10, 31))
    for who in (steady, fresh, lessee):
        finished(tenant=who, space=space, span=span("11-16 10:00", 8), now=later)
    plain = services.quote(tenant=steady, space=studio, span=span("11-18 19:00", 4), now=later)
    finished(
        tenant=jeweller, space=studio, span=span("11-18 19:00", 4), now=later, reserve=False,
        quote=plain.as_json(),
    )  # fmt: skip

    run = november(later)

    found = told(run.pk)
    assert found[gone.code] == ["tenant_vanished"]
    assert found[fresh.code] == ["tenant_new"]
    assert "lease_missing" in found[lessee.code]
    assert given
    assert "policy_lapsed" in found[jeweller.code]
    assert found[steady.code] == []
    assert run.surprises == sum(d.surprise_count for d in run.differences.all())
    vanished = RunDifference.objects.get(run=run, tenant=gone)
    assert (vanished.gross_fen, vanished.before_fen > 0) == (0, True)
    october = Invoice.objects.exclude(number=None)
    assert run.before_fen == sum(i.gross_fen for i in october)


@pytest.mark.usefixtures("prices")
def test_the_first_month_of_a_base_is_no_surprise(later: datetime) -> None:
    finished(tenant=make.tenant(), space=room(), span=span("11-17 10:00", 8), now=later)

    run = november(later)

    assert run.before_from is None
    assert not {"tenant_new"} & {c for found in told(run.pk).values() for c in found}


@pytest.mark.usefixtures("prices")
def test_a_stay_whose_meter_gave_nothing_is_told(later: datetime) -> None:
    who, space = make.tenant(), room()
    for day, energy in ((16, None), (17, 500)):
        finished(
            tenant=who, space=space, span=span(f"11-{day} 10:00", 4), now=later,
            energy_wh=energy, included_wh=1000,
        )  # fmt: skip

    run = november(later)

    row = RunDifference.objects.get(run=run, tenant=who)
    [missing] = [s for s in row.surprises if s["code"] == "meter_missing"]
    assert missing["data"] == {"stays": 1}
