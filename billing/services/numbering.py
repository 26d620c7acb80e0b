"""Numbers of e-invoices come back from the tax platform in a table: all of it, or nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from base_ops.core import audit, money
from base_ops.core.actors import Actor
from base_ops.core.errors import Conflict, FieldFault
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Cell, Line
from billing.domain.einvoice import Item, parts
from billing.domain.texts import local_day
from billing.models import EInvoice, Invoice

COLUMNS = Columns(
    {
        "serial": ("单据编号", "serial"),
        "number": ("数电票号码", "发票号码", "number"),
        "issued_on": ("开票日期", "issued on"),
        "gross": ("价税合计", "gross"),
    },
    ("serial", "number", "issued_on", "gross"),
)


class RowsRefused(Conflict):
    """Some rows cannot be taken, so none was; `rows` says why."""

    code, title_zh, title_en = "einvoice_rows_refused", "部分行无法导入", "Some rows were refused"


@dataclass(slots=True)
class Outcome:
    """What becomes of one row."""

    row: int
    serial: str
    number: str
    faults: list[FieldFault]
    known: bool = False
    made: EInvoice | None = None


def data_of(invoice: Invoice, merge: str = "lines") -> list[dict[str, object]]:
    """The e-invoices that an invoice becomes."""
    items = [
        Item(
            vat_category=line.vat_category,
            vat_rate=line.vat_rate,
            description=line.description_zh,
            unit=line.unit,
            quantity=line.quantity,
            net_fen=line.net_fen,
            vat_fen=line.vat_fen,
            starts_on=local_day(line.charge.starts_at) if line.charge.starts_at else None,
            ends_on=local_day(line.charge.ends_at) if line.charge.ends_at else None,
            place=line.charge.space_code,
        )
        for line in invoice.lines.select_related("charge").order_by("position")
    ]
    wanted = "rate" if merge == "rate" else "lines"
    return parts(str(invoice.number), invoice.seller, invoice.buyer, items, wanted)  # type: ignore[arg-type]


def judge(lines: Sequence[Line], *, actor: Actor, now: datetime) -> list[Outcome]:
    """What would become of each row; nothing is written."""
    seen: set[str] = set()
    found = []
    for line in lines:
        outcome = _judged(line, actor, now)
        for key in (outcome.number, outcome.serial):
            if key and key in seen and not outcome.faults:
                outcome.faults.append(_fault("number", "文件内重复", "twice in this file"))
            seen.add(key)
        found.append(outcome)
    return found


def take(lines: Sequence[Line], *, actor: Actor, now: datetime) -> list[Outcome]:
    """Write all of them; a row that is known already changes nothing.

    Raises:
        RowsRefused: with the outcomes; nothing was written.
    """
    with transaction.atomic():
        found = judge(lines, actor=actor, now=now)
        if any(outcome.faults for outcome in found):
            raise RowsRefused(f"{sum(bool(o.faults) for o in found)} rows", rows=shown(found))
        fresh = [outcome.made for outcome in found if outcome.made and not outcome.known]
        EInvoice.objects.bulk_create(fresh)
        audit.record(
            actor=actor, action="einvoice.import", object_type="einvoice", object_code="import",
            after={"numbers": [row.number for row in fresh]}, now=now,
        )  # fmt: skip
    return found


def shown(found: Sequence[Outcome]) -> list[dict[str, object]]:
    """As JSON values."""
    return [
        {
            "row": o.row,
            "serial": o.serial,
            "number": o.number,
            "outcome": "refused" if o.faults else "known" if o.known else "new",
            "faults": [
                {"name": f.name, "reason_zh": f.reason_zh, "reason_en": f.reason_en}
                for f in o.faults
            ],
        }
        for o in found
    ]


def _judged(line: Line, actor: Actor, now: datetime) -> Outcome:
    serial, number = (_text(line.cells.get(name)) for name in ("serial", "number"))
    outcome = Outcome(line.number, serial[:40], number[:40], list(line.faults))
    if outcome.faults:
        return outcome
    day = _day(line.cells.get("issued_on"))
    if not re.fullmatch("[0-9]{20}", number):
        outcome.faults.append(_fault("number", "须为 20 位数字", "20 digits are wanted"))
    if day is None or day > local_day(now):
        outcome.faults.append(_fault("issued_on", "日期无效", "not a day that has come"))
    base, _, part = serial.rpartition("/")
    invoice = Invoice.objects.filter(number=base).first()
    place = int(part) if re.fullmatch("[1-9]", part) else 0
    data = data_of(invoice) if invoice else []
    if invoice is None or not 0 < place <= len(data):
        outcome.faults.append(_fault("serial", "没有该单据", "no such document"))
        return outcome
    if _gross(line.cells.get("gross")) != data[place - 1]["gross"]:
        said = f"{data[place - 1]['gross']}"
        outcome.faults.append(_fault("gross", f"应为 {said}", f"it is {said}"))
    if not outcome.faults:
        assert day is not None
        outcome.made = EInvoice(
            invoice=invoice, part=place, number=number, issued_on=day,
            imported_by=actor.label, imported_at=now,
        )  # fmt: skip
        _compare(outcome, invoice, place, number)
    return outcome


def _compare(outcome: Outcome, invoice: Invoice, place: int, number: str) -> None:
    same = EInvoice.objects.filter(invoice=invoice, part=place).first()
    if same is not None:
        outcome.known = same.number == number
        if not outcome.known:
            outcome.faults.append(_fault("serial", "该单据已有号码", "it has another number"))
    elif EInvoice.objects.filter(number=number).exists():
        outcome.faults.append(_fault("number", "号码已被使用", "this number is taken"))


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _day(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(_text(cell)[:10].replace("/", "-"))
    except ValueError:
        return None


def _gross(cell: Cell) -> str:
    try:
        return money.yuan(money.fen(_text(cell).replace(",", "")))
    except ValueError:
        return ""


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault(name, zh, en)
