"""Which column is which, by its Chinese or English name."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from base_ops.core.errors import FieldFault
from base_ops.core.tables.files import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    FileRefused,
    Line,
    Table,
    too_many_rows,
)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in each column: a field, or None for one that nobody asked for."""

    fields: Sequence[str | None]
    ignored: Sequence[str]


class Columns:
    """The columns that one kind of table has, each under several names; some are required."""

    def __init__(self, names: Mapping[str, Sequence[str]], required: Sequence[str]) -> None:
        self._names, self._required = names, required
        self._field = {_normal(name): field for field, of in names.items() for name in of}

    def known(self, names: Sequence[Cell]) -> int:
        """How many of the names are columns of ours."""
        return sum(_normal(name) in self._field for name in names)

    def header(self, names: Sequence[Cell]) -> Header:
        """Read the first line.

        Raises:
            FileRefused: too many columns, one given twice, or a required one missing.
        """
        fields = [self._field.get(_normal(name)) for name in names[: MAX_COLUMNS + 1]]
        self._check(fields)
        ignored = [
            str(n)[:40] for n, f in zip(names, fields, strict=True) if f is None and _normal(n)
        ]
        return Header(fields, ignored)

    def _check(self, fields: Sequence[str | None]) -> None:
        if len(fields) > MAX_COLUMNS:
            raise FileRefused(
                "too_many_columns", f"最多 {MAX_COLUMNS} 列", f"at most {MAX_COLUMNS} columns",
                limit=MAX_COLUMNS,
            )  # fmt: skip
        twice = sorted({f for f in fields if f is not None and fields.count(f) > 1})
        if twice:
            shown = ", ".join(twice)
            raise FileRefused(
                "duplicate_columns", f"列重复:{shown}", f"columns given twice: {shown}",
                columns=twice,
            )  # fmt: skip
        if missing := [f for f in self._required if f not in fields]:
            wanted = ", ".join(f"{f} ({self._names[f][0]})" for f in missing)
            raise FileRefused(
                "missing_columns", f"缺少列:{wanted}", f"columns are missing: {wanted}",
                columns=missing,
            )  # fmt: skip


def table(top: Header, rows: Iterator[tuple[int, Sequence[Cell]]]) -> Table:
    """The lines under a header; blank ones are left out.

    Raises:
        FileRefused: more lines than allowed, or none.
    """
    lines: list[Line] = []
    for number, cells in rows:
        if all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells):
            continue
        if len(lines) == MAX_ROWS:
            raise too_many_rows()
        lines.append(_line(number, top, cells))
    if not lines:
        raise FileRefused("no_rows", "没有数据行", "there are no rows below the header")
    return Table(lines, top.ignored)


def _line(number: int, top: Header, cells: Sequence[Cell]) -> Line:
    found: dict[str, Cell] = {}
    faults: list[FieldFault] = []
    extra = [c for c in cells[len(top.fields) :] if c not in (None, "")]
    if extra:
        faults.append(FieldFault("", "单元格多于列", "more cells than columns"))
    for field, cell in zip(top.fields, cells, strict=False):
        if field is None:
            continue
        fault = _fault(field, cell)
        if fault is None:
            found[field] = cell
        else:
            faults.append(fault)
    return Line(number, found, faults)


def _fault(field: str, cell: Cell) -> FieldFault | None:
    """Why a cell is refused before anybody looks at its meaning."""
    if not isinstance(cell, str):
        return None
    if len(cell) > MAX_CELL:
        return FieldFault(field, f"最多 {MAX_CELL} 字", f"at most {MAX_CELL} characters")
    if is_formula(cell):
        return FieldFault(field, "不接受公式", "formulas are not accepted")
    if has_controls(cell):
        return FieldFault(field, "含控制字符", "contains control characters")
    return None


def has_controls(text: str) -> bool:
    """Whether the text has characters that cannot be shown; gaps and line breaks may be."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\r\n" for c in text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would calculate the text; "-5 ℃" and "@主播" are only text."""
    text = text.lstrip()
    return text.startswith("=") or (text[:1] in "+-@" and any(c in text for c in "(|!"))


def _normal(name: Cell) -> str:
    """The name without width, case, kinds of gaps, and what stands in brackets."""
    text = unicodedata.normalize("NFKC", str(name or "")).casefold().strip("\ufeff *")
    text = text.partition("(")[0].replace("_", " ").replace("-", " ")
    return " ".join(text.split())
