"""Reads the first sheet of an XLSX file, after looking whether unpacking it is safe."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.utils.exceptions import InvalidFileException

from base_ops.core.tables import columns
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import (
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    FileRefused,
    Table,
    check_size,
    too_many_rows,
)

MAX_ENTRIES = 100
MAX_UNPACKED = 8 * 1024 * 1024
MAX_RATIO = 50
SMALL = 64 * 1024  # below it a ratio says nothing
MAX_BLANK_ROWS = 1000
_ACTIVE = ("vbaproject", "xl/externallinks/", "xl/embeddings/", "xl/activex/", "xl/macrosheets/")
_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError,
    IndexError, AttributeError, OverflowError, NotImplementedError, EOFError, OSError,
    zlib.error, struct.error, RuntimeError,
)  # fmt: skip


def read(data: bytes, wanted: Columns) -> Table:
    """The table on the first sheet.

    Raises:
        FileRefused, FileTooLarge: and nothing else, whatever the bytes are.
    """
    check_size(data)
    _check_package(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of what it leaves out
            return _table(data, wanted)
    except FileRefused:
        raise
    except _BROKEN as exc:  # what openpyxl and what it stands on raise on broken files
        raise _broken() from exc


def _broken() -> FileRefused:
    return FileRefused("not_xlsx", "不是有效的 XLSX 文件", "this is not a sound XLSX file")


def _check_package(data: bytes) -> None:
    """Look at the zip's list only: what it would unpack to, and what is active in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = package.infolist()
    except _BROKEN as exc:
        raise _broken() from exc
    names = {entry.filename.casefold() for entry in entries}
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise _broken()
    if any(part in name for name in names for part in _ACTIVE):
        raise FileRefused(
            "active_content", "不接受宏、外部链接或嵌入对象",
            "macros, external links and embedded objects are not accepted",
        )  # fmt: skip
    _check_bomb(entries)


def _check_bomb(entries: Sequence[zipfile.ZipInfo]) -> None:
    """zipfile never unpacks more than the size an entry states, so the stated sizes bound it."""
    unpacked = sum(entry.file_size for entry in entries)
    swollen = any(
        entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(1, entry.compress_size)
        for entry in entries
    )
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or swollen:
        raise FileRefused("zip_bomb", "压缩内容过大", "it would unpack to far more than a table")


def _table(data: bytes, wanted: Columns) -> Table:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    try:
        if not book.worksheets:
            raise _broken()
        rows = _rows(book.worksheets[0])
        _, names = next(rows, (0, []))
        return columns.table(wanted.header(_trimmed(names)), rows)
    finally:
        book.close()


def _rows(sheet: object) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Rows as they lie there, each cut a little beyond the columns that may be."""
    sheet.reset_dimensions()  # type: ignore[attr-defined] # the stated size may be a lie
    blank = 0
    cells = sheet.iter_rows(max_col=MAX_COLUMNS + 1)  # type: ignore[attr-defined]
    for number, row in enumerate(cells, start=1):
        values = [_value(cell) for cell in row]
        blank = blank + 1 if all(v is None for v in values) else 0
        if blank > MAX_BLANK_ROWS or number > MAX_ROWS + MAX_BLANK_ROWS:
            raise too_many_rows()
        yield number, values


def _value(cell: object) -> Cell:
    """A cell's value; a formula or an error as the text it would show as, which is refused."""
    if isinstance(cell, MergedCell):
        return None
    value = getattr(cell, "value", None)
    kind = getattr(cell, "data_type", "n")
    if value is None or kind == "e":
        return None if value is None else str(value)
    if kind == "f":
        return f"={str(value).removeprefix('=')}"
    if isinstance(value, str) and kind in ("s", "inlineStr", "str") and value[:1] == "'":
        return value[1:]
    return value  # type: ignore[no-any-return]


def _trimmed(names: Sequence[Cell]) -> Sequence[Cell]:
    """The header without the empty cells on its right."""
    kept = list(names)
    while kept and kept[-1] in (None, ""):
        kept.pop()
    return kept
