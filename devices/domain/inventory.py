"""The inventory as a table: its columns, and what one line of a file asks for."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from base_ops.core.errors import FieldFault
from base_ops.core.tables.columns import Columns
from base_ops.core.tables.files import Cell, Line

# The first two names head an export, in Chinese and in English; all are understood.
NAMES = MappingProxyType(
    {
        "code": ("设备编号", "device", "编号", "标签", "tag", "code", "device code"),
        "model": ("型号编号", "model", "型号", "model code"),
        "space": ("空间编号", "space", "空间", "房间", "room", "space code"),
        "place": ("位置编号", "place", "位置", "place code"),
        "role": ("用途", "role", "角色"),
        "serial": ("序列号", "serial", "serial number", "sn", "s n"),
        "note": ("备注", "note", "notes", "remark"),
    }
)
COLUMNS = Columns(NAMES, required=("code",))
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LONGEST = {"model": 32, "space": 32, "place": 64, "role": 40, "serial": 64, "note": 200}


@dataclass(frozen=True, slots=True)
class Entry:
    """A device as a file names it; None where the file says nothing."""

    code: str
    model: str | None = None
    space: str | None = None
    place: str | None = None
    role: str | None = None
    serial: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: what it asks for, or why it asks for nothing that can be."""

    number: int
    entry: Entry | None = None
    faults: Sequence[FieldFault] = ()


def read(line: Line) -> Row:
    """What one line asks for."""
    faults = list(line.faults)
    texts = {name: _text(line.cells.get(name)) for name in NAMES}
    code = texts.pop("code") or ""
    if not is_code(code):
        faults.append(_fault("code", "须为 1–64 位字母、数字、-、_", "1–64 of A–Z, 0–9, - and _"))
    place = texts["place"]
    if place is not None and not is_code(place):
        faults.append(_fault("place", "须为 1–64 位字母、数字、-、_", "1–64 of A–Z, 0–9, - and _"))
    for name, text in texts.items():
        if text is not None and len(text) > _LONGEST[name]:
            most = _LONGEST[name]
            faults.append(_fault(name, f"最多 {most} 字", f"at most {most} characters"))
    if faults:
        return Row(line.number, None, tuple(faults))
    return Row(line.number, Entry(code=code, **texts))


def is_code(text: str) -> bool:
    """Whether a device or place may be called so: it is a topic and a client id."""
    return _CODE.fullmatch(text) is not None


def _text(cell: Cell) -> str | None:
    """A cell as text; a serial number that a spreadsheet took for a number is whole again."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = unicodedata.normalize("NFC", str(cell)).strip()
    return text or None


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault(name, zh, en)
