"""The books: every fact once, balanced at the end of a transaction, closed months stay closed."""

from datetime import date, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from base_ops.core.actors import SYSTEM
from billing.domain.allocating import Part
from billing.models import Account, Entry, OpenItem, Posting
from billing.selectors import books
from billing.services import closing, paying, posting, securities, wallets
from tests import make
from tests.billing.money import LATER, TODAY, issued, paid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
JANUARY = datetime.fromisoformat("2027-01-02T09:00:00+08:00")


def balances() -> dict[str, int]:
    rows = books.trial_balance(first=date(2026, 1, 1), last=date(2026, 12, 31))
    roles = dict(Account.objects.values_list("code", "role"))
    return {roles[row.code]: row.closing_fen for row in rows if row.closing_fen}


def test_documents_earn_in_the_month_of_use_and_owe_tax_on_their_own_day() -> None:
    one, two = issued(make.tenant(), make.tenant())

    assert posting.post_documents(LATER) == 0

    assert balances() == {
        "receivable": one.gross_fen + two.gross_fen,
        "rooms": -one.net_fen - two.net_fen,
        "vat": -one.vat_fen - two.vat_fen,
    }
    earned = Entry.objects.get(source=f"invoice/{one.number}/revenue/2026-11")
    taxed = Entry.objects.get(source=f"invoice/{one.number}/vat")
    assert (earned.on, earned.revenue_on, earned.vat_on) == (
        date(2026, 11, 30), date(2026, 11, 30), None,
    )  # fmt: skip
    assert (taxed.on, taxed.vat_on) == (one.issued_on, one.issued_on)
    november = {
        r.code: r.closing_fen
        for r in books.trial_balance(first=date(2026, 11, 1), last=date(2026, 11, 30))
    }
    assert november["2221.08"] == -one.vat_fen - two.vat_fen
    assert november["2221.01"] == 0


def test_money_ends_where_it_should_and_the_books_agree_with_it() -> None:
    tenant = make.tenant()
    (invoice,) = issued(tenant)
    part = invoice.gross_fen // 3
    held = securities.take(
        purpose="lease/T", tenant=tenant, move=securities.Move(9_000, TODAY), actor=SYSTEM,
        now=LATER,
    )  # fmt: skip
    number = str(invoice.number)

    securities.set_off(
        deposit_id=held.pk, parts=[Part(number, 4_000)], note="", actor=SYSTEM, now=LATER
    )
    securities.give_back(
        deposit_id=held.pk, move=securities.Move(2_000, TODAY, "cash"), actor=SYSTEM, now=LATER
    )
    some = paid(tenant, part)
    paying.allocate(payment_id=some.pk, actor=SYSTEM, now=LATER)
    more = paid(tenant, invoice.gross_fen)
    paying.allocate(payment_id=more.pk, actor=SYSTEM, now=LATER)
    over = part + 4_000
    assert wallets.fill(payment_id=more.pk, amount_fen=over - 500, actor=SYSTEM, now=LATER)
    wallets.refund(
        tenant=tenant, amount_fen=100, method="transfer", on=TODAY, reason="x", actor=SYSTEM,
        now=LATER,
    )  # fmt: skip
    paying.refund(
        payment_id=more.pk, amount_fen=300, method="transfer", on=TODAY, reason="x",
        actor=SYSTEM, now=LATER,
    )  # fmt: skip

    got = balances()
    assert sum(got.values()) == 0
    assert got["bank"] == 9_000 + part + invoice.gross_fen - 400
    assert got["cash"] == -2_000
    assert (got["wallet"], got["unallocated"], got["deposit"]) == (-(over - 600), -200, -3_000)
    assert "receivable" not in got
    assert books.disagreements() == []


def test_an_entry_that_does_not_balance_ends_the_transaction() -> None:
    posting.ensure_chart()
    cash, bank = (Account.objects.get(role=role) for role in ("cash", "bank"))

    def write(*amounts: int) -> None:
        entry = Entry.objects.create(source=f"t/{amounts}", kind="t", on=TODAY, created_at=LATER)
        for account, amount in zip((cash, bank), amounts, strict=False):
            Posting.objects.create(entry=entry, account=account, amount_fen=amount)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    for wrong in ((), (5,), (5, -4)):
        with pytest.raises(IntegrityError, match="postings with a sum"), transaction.atomic():
            write(*wrong)
    write(5, -5)
    with pytest.raises(ValueError, match="does not balance"):
        posting.post(source="u", kind="t", on=TODAY, sides={"cash": 1}, now=LATER)


def test_what_is_written_stays() -> None:
    (invoice,) = issued(make.tenant())
    paid(invoice.tenant, 100)

    for table in ("entry", "posting", "openitem", "payment"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM billing_{table}")
    for change in (
        "billing_entry SET memo = 'x'",
        "billing_posting SET amount_fen = 1",
        "billing_openitem SET gross_fen = 1",
        "billing_payment SET amount_fen = 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {change}")


def test_nothing_enters_a_closed_month_and_only_the_last_is_opened_again() -> None:
    (invoice,) = issued(make.tenant())
    tenant = invoice.tenant
    with pytest.raises(closing.PeriodState):
        closing.close(month=date(2026, 12, 1), actor=SYSTEM, now=LATER)
    with pytest.raises(closing.PeriodState):
        closing.close(month=date(2026, 12, 1), actor=SYSTEM, now=JANUARY)

    closing.close(month=date(2026, 11, 1), actor=SYSTEM, now=LATER)

    with pytest.raises(posting.PeriodClosed):
        paid(tenant, 100, received_on=date(2026, 11, 30))
    with pytest.raises(IntegrityError, match="are closed"), transaction.atomic():
        Entry.objects.create(source="x", kind="t", on=date(2026, 11, 30), created_at=LATER)
    closing.close(month=date(2026, 12, 1), actor=SYSTEM, now=JANUARY)
    with pytest.raises(closing.PeriodState):
        closing.reopen(month=date(2026, 11, 1), reason="x", actor=SYSTEM, now=JANUARY)
    closing.reopen(month=date(2026, 12, 1), reason="x", actor=SYSTEM, now=JANUARY)
    closing.reopen(month=date(2026, 11, 1), reason="x", actor=SYSTEM, now=JANUARY)
    paid(tenant, 100, received_on=date(2026, 11, 30))


def test_late_use_of_a_closed_month_counts_on_the_day_of_its_document() -> None:
    issued(make.tenant())
    closing.close(month=date(2026, 11, 1), actor=SYSTEM, now=LATER)

    (late,) = issued(make.tenant())

    entry = Entry.objects.get(source=f"invoice/{late.number}/revenue/2026-11")
    assert (entry.on, entry.revenue_on) == (TODAY, date(2026, 11, 30))
    assert books.disagreements() == []


def test_the_books_say_where_they_disagree() -> None:
    (invoice,) = issued(make.tenant())
    OpenItem.objects.filter(pk=invoice.pk).update(settled_fen=1)

    found = books.disagreements()

    assert [line.partition(":")[0] for line in found] == ["miscounted", "control"]
