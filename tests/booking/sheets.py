"""Files as people and attackers make them."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

HEADER = ["空间", "日期", "开始", "结束", "标题", "人数"]


def xlsx(rows: Sequence[Sequence[Any]], header: Sequence[Any] = HEADER) -> bytes:
    """A workbook with one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (header, *rows):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(*lines: str, header: str = "空间,日期,开始,结束,标题,人数") -> bytes:
    """Lines under a header, in UTF-8."""
    return "\r\n".join([header, *lines, ""]).encode()


def ics(*events: str, head: str = "") -> bytes:
    """A calendar of events; each is its own lines."""
    body = "".join(
        f"BEGIN:VEVENT\nUID:e{n}\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)
    )
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{head}{body}END:VCALENDAR\n"
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """The same package with entries changed, left out (None) or added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
        for name, content in more.items():
            new.writestr(name.replace("__", "/"), content)
    return out.getvalue()


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def shared(data: bytes, strings: bytes | None = None) -> bytes:
    """The same workbook with its "S1" among the shared strings, as Excel writes it."""

    def change(name: str, old: bytes) -> bytes:
        if name == "[Content_Types].xml":
            part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}"/></Types>'
            return old.replace(b"</Types>", part.encode())
        inline = b't="inlineStr"><is><t>S1</t></is></c>'
        return old.replace(inline, b't="s"><v>0</v></c>') if "sheet1" in name else old

    plain = f'<sst xmlns="{_MAIN}"><si><t>S1</t></si></sst>'.encode()
    return repacked(data, change, **{"xl__sharedStrings.xml": strings or plain})
