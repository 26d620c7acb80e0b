"""The 12 golden invoices of the data file, computed from inputs, to the fen."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from base_ops.core import money
from billing.domain import aftermath, leases, rating
from billing.domain.facts import BookingFacts, LeaseFacts
from billing.domain.quote import Line, Quote
from billing.domain.rating import RoomWish, ServiceWish
from billing.domain.texts import Bi, local_day
from tests.billing.data import base, book, demo, situation, space, span


@dataclass(frozen=True)
class Case:
    """What happened; the amounts must come out of the engine."""

    tenant: str
    space: str
    start: str
    hours: float
    services: tuple[ServiceWish, ...] = ()
    outcome: str = "completed"
    outage_min: int = 0
    known: dict[str, Any] = field(default_factory=dict)


CASES = {
    "G01": Case("T007", "F2-S01", "11-16 10:00", 4),
    "G02": Case("T005", "F2-S02", "11-16 22:00", 4),
    "G03": Case("T016", "F2-T01", "11-10 20:00", 4),
    "G04": Case("T035", "F2-PR", "11-17 14:00", 3, known={"agreement": True}),
    "G05": Case("T019", "F2-J01", "11-18 19:00", 4),
    "G06": Case("T009", "F2-S03", "11-18 09:00", 3, (ServiceWish("SV-DIR", Decimal(2)),)),
    "G08": Case("T010", "F2-T02", "11-19 19:00", 4, outcome="no_show"),
    "G09": Case("T007", "F2-L01", "11-19 19:00", 4, outage_min=25),
    "G10": Case("T008", "F2-V01", "11-20 20:00", 3),
    "G11": Case("T032", "F2-CA", "11-20 09:00", 8, known={"programme_filed": True}),
    "G12": Case("T019", "F2-J02", "11-11 19:00", 4),
}


def wish_for(case: Case) -> RoomWish:
    room = space(case.space)
    kind = next(t for t in base()["space_types"] if t["code"] == room["type"])
    return RoomWish(
        name_zh=room["name_zh"],
        name_en=room["name_en"],
        space_type=room["type"],
        tariff=kind["tariff"],
        span=span(case.start, case.hours),
        services=case.services,
    )


def quote_for(case: Case) -> Quote:
    wish = wish_for(case)
    known = situation(
        case.tenant, local_day(wish.span.start), space_type=wish.space_type, **case.known
    )
    return rating.rate(wish, book=book(), situation=known)


def lines_for(case: Case) -> list[Line]:
    wish, quote = wish_for(case), quote_for(case)
    facts = BookingFacts(
        booking_code="BK1",
        tenant_id=1,
        space_id=1,
        span=wish.span,
        outcome=case.outcome,  # type: ignore[arg-type]
        quote=quote.as_json(),
    )
    names = Bi(wish.name_zh, wish.name_en)
    lines = [x for _, x in aftermath.owed(facts, names=names, tariff=wish.tariff, book=book())]
    if case.outage_min:
        policy = next(p for p in book().policies if p.kind == "fault_credit")
        credit = aftermath.fault_credit(
            policy=policy,
            room=lines,
            booked_min=int(case.hours * 60),
            outage_min=case.outage_min,
        )
        assert credit is not None
        lines.append(credit)
    return lines


def lease_lines() -> list[Line]:
    """G07: lease LS001 in its ninth month."""
    lease = next(x for x in demo()["leases"] if x["code"] == "LS001")
    facts = LeaseFacts(
        lease_code=lease["code"],
        tenant_id=1,
        space_id=1,
        month=date(2026, 11, 1),
        starts_on=date.fromisoformat(lease["start"]),
        ends_on=date.fromisoformat(lease["end"]),
        area_m2=Decimal(str(lease["area_m2"])),
        monthly_rent_fen=money.fen(lease["monthly_rent_cny"]),
        free_months=lease["free_months"],
        policy=lease["policy"],
    )
    room = space(lease["space"])
    return leases.rent(
        facts,
        names=Bi(room["name_zh"], room["name_en"]),
        tariff=book().tariff("TF-SINGLE"),
        book=book(),
        situation=situation(lease["tenant"], facts.month, mode="monthly"),
    )


def shown(line: Line) -> dict[str, str]:
    """A line as the data file writes it."""
    return {
        "description_zh": line.description_zh,
        "amount": money.yuan(line.gross_fen),
        "vat_category": line.vat_category,
        "net": money.yuan(line.net_fen),
        "vat": money.yuan(line.vat_fen),
    }


@pytest.mark.parametrize("golden", demo()["golden_invoices"], ids=lambda g: g["code"])
def test_golden_invoice_to_the_fen(golden: dict[str, Any]) -> None:
    lines = lease_lines() if golden["code"] == "G07" else lines_for(CASES[golden["code"]])

    wanted = [{k: line[k] for k in shown(lines[0])} for line in golden["lines"]]
    assert [shown(line) for line in lines] == wanted
    assert money.yuan(sum(x.gross_fen for x in lines)) == golden["total_incl_vat"]
    for line, want in zip(lines, golden["lines"], strict=True):
        assert line.policy == want.get("policy", "")
        if "band" in want:
            assert (line.band, line.surge) == (want["band"], Decimal(want["surge"]))


def test_every_golden_invoice_has_its_inputs() -> None:
    assert {g["code"] for g in demo()["golden_invoices"]} == {*CASES, "G07"}


def test_trace_of_g12_says_what_was_capped_and_by_which_ceiling() -> None:
    quote = quote_for(CASES["G12"])

    verdicts = {v.code: v for v in quote.policies}
    assert (verdicts["P08"].verdict, verdicts["P08"].amount_fen) == ("capped", 15080)
    assert (verdicts["P13"].verdict, verdicts["P13"].amount_fen) == ("capped", 0)
    assert verdicts["P15"].verdict == "applied"
    assert sum(v.amount_fen for v in quote.policies) == quote.discount_fen


def test_trace_of_g10_names_the_gate_for_every_refused_discount() -> None:
    quote = quote_for(CASES["G10"])

    refused = [v for v in quote.policies if v.verdict == "refused"]
    assert len(refused) >= 10
    assert all("合规评级C级" in v.reason_zh and v.unlock_zh for v in refused)
    assert not quote.suspended
