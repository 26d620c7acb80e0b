"""What every kind of file has in common: its limits, its refusals, and rows of cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from base_ops.core.errors import FieldFault, Invalid, TooLarge

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 500
MAX_COLUMNS = 60
MAX_CELL = 500

Cell: TypeAlias = str | int | float | bool | datetime | date | time | timedelta | None


class FileRefused(Invalid):
    """The file as a whole cannot be read; `reason` is stable, the fault says it to people."""

    code, title_zh, title_en = "file_refused", "文件无法导入", "The file cannot be imported"

    def __init__(self, reason: str, zh: str, en: str, **context: object) -> None:
        super().__init__(en, fields=[FieldFault("file", zh, en)], reason=reason, **context)


class FileTooLarge(TooLarge):
    """More bytes than an import may have."""

    code, title_zh, title_en = "file_too_large", "文件过大", "The file is too large"


@dataclass(frozen=True, slots=True)
class Line:
    """One line below the header: its number as people count them, and its cells by column."""

    number: int
    cells: Mapping[str, Cell]
    faults: Sequence[FieldFault] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of a file, and the columns that nobody asked for."""

    lines: Sequence[Line]
    ignored: Sequence[str] = ()


def check_size(data: bytes) -> None:
    """Refuse an empty file and one over the limit.

    Raises:
        FileRefused, FileTooLarge.
    """
    if not data:
        raise FileRefused("empty", "文件是空的", "the file is empty")
    if len(data) > MAX_BYTES:
        fault = FieldFault("file", "最多 2 MiB", "at most 2 MiB")
        raise FileTooLarge(f"{len(data)} bytes", fields=[fault], limit=MAX_BYTES)


def too_many_rows(limit: int = MAX_ROWS) -> FileRefused:
    """More lines than one import may have."""
    return FileRefused("too_many_rows", f"最多 {limit} 行", f"at most {limit} rows", limit=limit)
