"""Reads CSV as it comes from spreadsheets in China: UTF-8 or GB18030, any usual delimiter."""

import csv
import io
from collections.abc import Iterator, Sequence

from base_ops.core.tables import columns
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Cell, FileRefused, Table, check_size
from base_ops.core.tables.writing import risky

DELIMITERS = ",;\t|"


def read(data: bytes, wanted: Columns) -> Table:
    """The table in a CSV file.

    Raises:
        FileRefused, FileTooLarge: and nothing else, whatever the bytes are.
    """
    check_size(data)
    text = _decoded(data)
    if not (first := text.partition("\n")[0].strip()):
        raise FileRefused("no_header", "首行须为列名", "the first line must name the columns")
    rows = _rows(text, _delimiter(first, wanted))
    _, names = next(rows, (0, []))
    return columns.table(wanted.header(names), rows)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("encoding", "请存为 UTF-8 编码的 CSV", "save it as CSV in UTF-8")
    if b"\x00" in data:
        raise FileRefused("not_text", "不是文本文件", "this is not a text file")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(
        "encoding", "编码须为 UTF-8 或 GB18030", "the encoding must be UTF-8 or GB18030"
    )


def _delimiter(first: str, wanted: Columns) -> str:
    """The delimiter that makes most wanted columns out of the first line."""

    def score(delimiter: str) -> int:
        try:
            return wanted.known(next(csv.reader([first], delimiter=delimiter, strict=True), []))
        except csv.Error:
            return -1

    return max(DELIMITERS, key=score)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Each row with the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in reader:
            yield begins, [_unguarded(cell) for cell in row]
            begins = reader.line_num + 1
    except csv.Error as exc:
        raise FileRefused(
            "not_csv",
            f"第 {begins} 行不是有效的 CSV",
            f"line {begins} is not valid CSV",
            row=begins,
        ) from exc


def _unguarded(cell: str) -> str:
    """Without the apostrophe that our own exports put before what looks like a formula."""
    return cell[1:] if cell[:1] == "'" and risky(cell[1:]) else cell
