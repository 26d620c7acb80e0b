"""Writes tables that a spreadsheet shows as they are and never calculates."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Any, TypeAlias
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.cell import WriteOnlyCell

Value: TypeAlias = str | int | Decimal | datetime | None

ZONE = ZoneInfo("Asia/Shanghai")
BOM = b"\xef\xbb\xbf"
ROWS_AT_ONCE = 200
_STARTS = frozenset("=+-@\t\r\n")


def risky(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula; full-width signs count too."""
    first = unicodedata.normalize("NFKC", text.lstrip(" ")[:1])
    return first in _STARTS if first else False


def csv_chunks(rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """CSV in UTF-8 with the mark by which Excel knows it, some rows at a time.

    A text that might be a formula gets an apostrophe; the import takes it off again.
    """
    yield BOM
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_csv_cell(value) for value in row])
        if number % ROWS_AT_ONCE == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _csv_cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            text = clean(value)
            return f"'{text}" if risky(text) else text
        case Decimal():
            return f"{value:.2f}"
        case datetime():
            return f"{value.astimezone(ZONE):%Y-%m-%d %H:%M}"
        case _:
            return str(value)


def write_xlsx(file: IO[bytes], rows: Iterable[Sequence[Value]], *, title: str) -> None:
    """One sheet with the first row as its header; rows go to the disk as they come."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    book.save(file)


def _xlsx_cell(sheet: Any, value: Value) -> Any:
    match value:
        case str():
            return _text_cell(sheet, clean(value))
        case Decimal():
            cell = WriteOnlyCell(sheet, value=value)  # type: ignore[arg-type] # it knows Decimal
            cell.number_format = "0.00"
            return cell
        case datetime():
            local = value.astimezone(ZONE).replace(tzinfo=None, microsecond=0)
            cell = WriteOnlyCell(sheet, value=local)
            cell.number_format = "yyyy-mm-dd hh:mm"
            return cell
        case _:
            return value


def _text_cell(sheet: Any, text: str) -> Any:
    """A cell that is text and stays so when somebody edits it.

    openpyxl makes a formula of what begins with "=" and an error of "#N/A": the kind is forced.
    """
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    cell.quotePrefix = risky(text)
    return cell


def clean(text: str) -> str:
    """The text without control characters, which XML cannot hold; tabs and line breaks stay."""
    return "".join(c for c in text if c in "\t\r\n" or unicodedata.category(c) not in ("Cc", "Cs"))
