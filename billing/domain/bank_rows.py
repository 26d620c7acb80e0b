"""A line of a bank's file: dates, amounts and names as Chinese banks write them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from base_ops.core.errors import FieldFault

_DATES = "交易日期 记账日期 入账日期 日期 交易时间 date"
_AMOUNTS = "贷方发生额 收入金额 收入 贷方金额 存入 交易金额 金额 credit amount"
_REFERENCES = "交易流水号 流水号 凭证号 交易参考号 reference"
NAMES: Final[Mapping[str, Sequence[str]]] = {
    "received_on": (*_DATES.split(), "booking date"),
    "amount": tuple(_AMOUNTS.split()),
    "bank_reference": (*_REFERENCES.split(), "transaction id", "bank reference"),
    "payer": ("对方户名", "对方名称", "付款人", "付款人名称", "payer", "counterparty"),
    "text": ("摘要", "附言", "用途", "备注", "text", "remark", "purpose"),
    "paid_out": ("借方发生额", "支出金额", "支出", "借方金额", "支取", "debit"),
}
REQUIRED: Final = ("received_on", "amount", "bank_reference")
MOST_FEN: Final = 10**12


@dataclass(frozen=True, slots=True)
class BankLine:
    """Money that came in; below zero it went out."""

    received_on: date
    amount_fen: int
    bank_reference: str
    payer: str
    text: str


def read(cells: Mapping[str, Any]) -> tuple[BankLine | None, list[FieldFault]]:
    """What a row says, or every fault in it."""
    faults: list[FieldFault] = []
    on = _day(cells.get("received_on"), faults)
    out = _fen(cells.get("paid_out"), "paid_out", faults, empty=0)
    amount = _fen(cells.get("amount"), "amount", faults, empty=0 if out else None)
    reference = _text(cells.get("bank_reference"), 64)
    if not reference:
        faults.append(FieldFault("bank_reference", "缺少流水号", "a reference is needed"))
    if faults or on is None or amount is None or out is None:
        return None, faults
    payer, text = _text(cells.get("payer"), 160), _text(cells.get("text"), 240)
    return BankLine(on, amount - abs(out), reference, payer, text), []


def _text(value: Any, most: int) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else " ".join(str(value).split())[:most]


def _day(value: Any, faults: list[FieldFault]) -> date | None:
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        found = re.match(r"(20\d\d)[-/.年]?(\d\d?)[-/.月]?(\d\d?)(?!\d)", str(value or "").strip())
        try:
            value = date(*(int(part) for part in found.groups())) if found else None
        except ValueError:
            value = None
    if value is None or not 2000 <= value.year <= 2100:
        faults.append(FieldFault("received_on", "日期无效", "not a date"))
        return None
    return value  # type: ignore[no-any-return] # a date by now


def _fen(value: Any, name: str, faults: list[FieldFault], *, empty: int | None) -> int | None:
    """An amount in yuan as fen; text may have commas and a currency sign."""
    if (value is None or str(value).strip() in ("", "-", "--")) and empty is not None:
        return empty
    text = re.sub(r"[,，\s¥￥]|元$|RMB|CNY", "", str(value))
    try:
        fen = (Decimal("NaN") if isinstance(value, bool) else Decimal(text)) * 100
    except InvalidOperation:
        fen = Decimal("NaN")
    if isinstance(value, float):
        fen = fen.quantize(Decimal(1)) if fen.is_finite() and abs(fen) < MOST_FEN else fen
    if not fen.is_finite() or abs(fen) > MOST_FEN or fen != fen.to_integral_value():
        faults.append(FieldFault(name, "金额无效", "not an amount"))
        return None
    return int(fen)
