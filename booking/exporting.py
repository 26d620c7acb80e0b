"""Bookings as rows of a table: own ones for a tenant, filtered ones for the base."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.db.models import QuerySet

from base_ops.core import errors
from base_ops.core.tables.writing import Value
from booking.models import Booking

Language = Literal["zh", "en"]
MAX_ROWS = 50_000
AT_ONCE = 1_000


class ExportTooLarge(errors.Invalid):
    """More bookings than one file may have."""

    code, title_zh, title_en = (
        "export_too_large",
        "导出内容过多,请缩小范围",
        "Too much to export, narrow the range",
    )


@dataclass(frozen=True, slots=True)
class _Column:
    zh: str
    en: str
    value: Callable[[Booking], Value]
    money: bool = False


# The names are those that the import knows: what was exported can be edited and imported.
_COLUMNS = (
    _Column("预订号", "Code", lambda b: b.code),
    _Column("状态", "Status", lambda b: b.status),
    _Column("租户", "Tenant", lambda b: b.tenant.short_zh),
    _Column("租户编号", "Tenant code", lambda b: b.tenant.code),
    _Column("空间", "Space", lambda b: b.space.code),
    _Column("空间名称", "Space name", lambda b: b.space.name_zh),
    _Column("开始", "Start", lambda b: b.starts_at),
    _Column("结束", "End", lambda b: b.ends_at),
    _Column("加时至", "Overtime until", lambda b: b.overtime_until),
    _Column("标题", "Title", lambda b: b.title),
    _Column("用途", "Purpose", lambda b: b.purpose),
    _Column("人数", "Headcount", lambda b: b.headcount),
    _Column("数量", "Units", lambda b: b.units),
    _Column("服务", "Services", lambda b: _services(b)),
    _Column("金额(元)", "Price (CNY)", lambda b: Decimal(b.price_fen) / 100, money=True),
    _Column("金额(分)", "Price (fen)", lambda b: b.price_fen, money=True),
    _Column("创建时间", "Created", lambda b: b.created_at),
    _Column("确认时间", "Confirmed", lambda b: b.confirmed_at),
    _Column("取消时间", "Cancelled", lambda b: b.cancelled_at),
    _Column("取消原因", "Cancel reason", lambda b: b.cancel_reason),
)


def rows(
    found: QuerySet[Booking], *, priced: bool, language: Language
) -> Iterator[Sequence[Value]]:
    """The header and each booking by start, read from the database some at a time.

    Raises:
        ExportTooLarge: at once, before anything is sent.
    """
    if found[: MAX_ROWS + 1].count() > MAX_ROWS:
        raise ExportTooLarge(
            f"more than {MAX_ROWS} bookings",
            fields=[errors.FieldFault("to", f"最多 {MAX_ROWS} 条", f"at most {MAX_ROWS} rows")],
            limit=MAX_ROWS,
        )
    columns = [c for c in _COLUMNS if priced or not c.money]
    return _rows(found, columns, language)


def _rows(
    found: QuerySet[Booking], columns: Sequence[_Column], language: Language
) -> Iterator[Sequence[Value]]:
    yield [c.zh if language == "zh" else c.en for c in columns]
    for booking in found.order_by("starts_at", "pk").iterator(chunk_size=AT_ONCE):
        yield [c.value(booking) for c in columns]


def _services(booking: Booking) -> str:
    return "; ".join(f"{s['code']}*{Decimal(s['qty']).normalize():f}" for s in booking.services)
