"""Pure parts: spreading, ages, matching, late fees, bank rows, the plan."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import bank_rows, claims, dunning, matching
from billing.domain.ageing import BUCKETS, age, bucket
from billing.domain.allocating import Open, spread
from billing.domain.matching import Debtor, Money

MANY = settings(max_examples=1000, deadline=None)
DAY = date(2026, 12, 1)
days = st.integers(-150, 150).map(lambda n: DAY + timedelta(days=n))
opens = st.lists(
    st.builds(Open, st.integers(0, 30).map("PYB-2026-{:06d}".format), days, st.integers(1, 999)),
    unique_by=lambda item: item.number,
    max_size=6,
)


@MANY
@given(st.integers(0, 4000), opens, st.randoms(use_true_random=False))
def test_nothing_is_lost_nor_overpaid_and_the_oldest_comes_first(
    amount: int, items: list[Open], dice: Any
) -> None:
    parts, rest = spread(amount, items)
    shuffled = list(items)
    dice.shuffle(shuffled)

    assert spread(amount, shuffled) == (parts, rest)
    assert sum(part.amount_fen for part in parts) + rest == amount
    owed = {item.number: item for item in items}
    assert all(0 < part.amount_fen <= owed[part.number].open_fen for part in parts)
    assert not rest or sum(p.amount_fen for p in parts) == sum(i.open_fen for i in items)
    got = {part.number: part.amount_fen for part in parts}
    for earlier in items:
        for later in items:
            if earlier.due_on < later.due_on and later.number in got:
                assert got.get(earlier.number) == earlier.open_fen


@MANY
@given(st.lists(st.tuples(days, st.integers(1, 10**9)), max_size=8), days)
def test_every_debt_has_one_age(debts: list[tuple[date, int]], on: date) -> None:
    found = age(debts, on=on)

    assert found.total_fen == sum(amount for _, amount in debts)
    assert found.overdue_fen == sum(amount for due, amount in debts if due < on)
    for name in BUCKETS:
        assert getattr(found, name) == sum(a for due, a in debts if bucket(due, on=on) == name)


def test_ages_change_after_30_60_and_90_days() -> None:
    shown = [bucket(DAY, on=DAY + timedelta(days=n)) for n in (0, 1, 30, 31, 60, 61, 90, 91)]

    assert shown == [
        "not_due", "days_1_30", "days_1_30", "days_31_60", "days_31_60", "days_61_90",
        "days_61_90", "days_over_90",
    ]  # fmt: skip


def debtor(code: str, name: str, items: list[Open]) -> Debtor:
    return Debtor(code, (name, name[:6]), "", tuple(items))


@MANY
@given(opens, opens, st.integers(1, 4000), st.text(max_size=12), st.text(max_size=12))
def test_suggestions_stay_within_the_money_and_what_is_open(
    mine: list[Open], others: list[Open], amount: int, payer: str, text: str
) -> None:
    money = Money(amount, payer, f"{text} {mine[0].number if mine else ''}")
    both = [debtor("T1", "番禺珠宝有限公司", mine), debtor("T2", "万博服饰有限公司", others)]

    found = matching.suggest(money, both)

    assert found == matching.suggest(money, both[::-1])
    assert not mine or any(s.tenant == "T1" and s.score >= matching.NUMBER for s in found)
    for s in found:
        owed = {i.number: i.open_fen for i in (mine if s.tenant == "T1" else others)}
        assert s.reasons
        assert 0 < s.score <= 100
        assert sum(p.amount_fen for p in s.parts) + s.rest_fen == amount
        assert all(p.amount_fen <= owed[p.number] for p in s.parts)
        assert len({p.number for p in s.parts}) == len(s.parts)


def test_a_number_and_the_payer_are_certain_and_a_longer_number_is_another() -> None:
    item = Open("PYB-2026-000012", DAY, 500)
    both = [debtor("T001", "番禺珠宝有限公司", [item]), debtor("T002", "万博服饰公司", [])]

    def ask(payer: str, text: str, amount: int = 300) -> list[matching.Suggestion]:
        return matching.suggest(Money(amount, payer, text), both)

    sure = ask("番禺珠宝有限公司", "付 PYB-2026-000012 款")
    assert matching.certain(sure) == sure[0]
    assert sure[0].score == matching.NUMBER + matching.PAYER
    assert [r.points for r in ask("x", "PYB-2026-000012", 500)[0].reasons] == [60, 25]
    assert ask("x", "PYB-2026-0000121") == []
    assert ask("x", "", 500)[0].score == matching.AMOUNT
    assert matching.certain(ask("番禺珠宝有限公司", "")) is None


@MANY
@given(
    st.integers(0, 60), st.integers(0, 60), st.integers(0, 10**7), st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(-5, 70), st.integers(1, 10**6)), max_size=4),
)  # fmt: skip
def test_a_late_fee_is_within_its_cap_and_less_when_paid(
    start: int, length: int, principal: int, left: int, paid: list[tuple[int, int]]
) -> None:
    first = DAY + timedelta(days=start)
    last = first + timedelta(days=length)
    settled = [(DAY + timedelta(days=n), amount) for n, amount in paid]
    rate = Decimal("0.0005")

    def fee(money: list[tuple[date, int]]) -> int:
        return dunning.late_fee_fen(
            first=first, last=last, principal_fen=principal, settled=money, per_day=rate,
            left_fen=left,
        )  # fmt: skip

    assert 0 <= fee(settled) <= fee([]) <= left
    plain = int(principal * (length + 1) * rate + Decimal("0.5"))
    assert fee([]) == min(plain, left)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"amount": "1,234.50"}, 123_450),
        ({"amount": 1234.5}, 123_450),
        ({"amount": "￥12元"}, 1_200),
        ({"amount": "", "paid_out": "5"}, -500),
        ({"amount": "12.345"}, "amount"),
        ({"amount": "1e99"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": 1, "received_on": "31.12"}, "received_on"),
        ({"amount": 1, "received_on": "20261301"}, "received_on"),
        ({"amount": 1, "bank_reference": " "}, "bank_reference"),
    ],
)
def test_bank_rows_are_read_or_named(cells: dict[str, Any], expected: Any) -> None:
    row, faults = bank_rows.read({"received_on": "2026-12-01", "bank_reference": "R"} | cells)

    assert (faults[0].name if faults else row and row.amount_fen) == expected
    assert len(faults) <= 1


def test_a_plan_names_every_fault() -> None:
    assert dunning.read(dunning.STANDARD).step(5) == dunning.Step("first", 3, "reminder")
    assert dunning.read(dunning.STANDARD).step(-4) is None
    twice = {"code": "a", "days": 1, "tone": "reminder"}
    bad = {"steps": [twice, twice], "late_fee": {"per_day": "1", "cap_pct": 101}}

    with pytest.raises(dunning.BadDunning) as caught:
        dunning.read(bad)

    assert sorted(f.name for f in caught.value.fields) == [
        "late_fee.cap_pct", "late_fee.per_day", "steps.code", "steps.days",
    ]  # fmt: skip


def test_a_decision_is_within_what_was_asked() -> None:
    assert [claims.outcome(5, n) for n in (5, 3, 0)] == ["accepted", "cut", "refused"]
    with pytest.raises(ValueError, match="6 of 5"):
        claims.outcome(5, 6)
