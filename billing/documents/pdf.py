"""An issued invoice as PDF/A-2b: same invoice, same bytes.

The template is a file of ours; what tenants may write only ever comes in as data.
"""

import hashlib
import json
import threading
from datetime import datetime
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn
import typst

from billing.documents.content import Language, content
from billing.models import Invoice

TEMPLATE = Path(__file__).with_name("invoice.typ")
FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent

_lock = threading.Lock()


@cache
def _compiler() -> typst.Compiler:
    """Reading the fonts takes longer than a document: one compiler for the process."""
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(str(TEMPLATE), root=str(TEMPLATE.parent), font_paths=fonts)


@cache
def _template_hash() -> str:
    """Changes with the layout, the words and the compiler."""
    parts = [TEMPLATE, *sorted(TEMPLATE.parent.glob("*.py"))]
    text = b"".join(p.read_bytes() for p in parts) + typst.__file__.encode()
    return hashlib.sha256(text).hexdigest()


def etag(invoice: Invoice, lang: Language) -> str:
    """The entity tag of the PDF, without making it: issued invoices never change."""
    text = f"{invoice.number} {lang} {_template_hash()}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def render(invoice: Invoice, lang: Language) -> bytes:
    """The PDF of an issued invoice; identical bytes each time."""
    data = json.dumps(content(invoice, list(invoice.lines.all()), lang), ensure_ascii=False)
    return typeset(data, at=invoice.issued_at)


def typeset(data: str, *, at: datetime) -> bytes:
    """The PDF of finished content, stamped with an instant."""
    with _lock:  # a compiler holds the inputs of the document it is making
        pdf = _compiler().compile(
            format="pdf",
            sys_inputs={"data": data},
            pdf_standards="a-2b",
            timestamp=int(at.timestamp()),
        )
    if not isinstance(pdf, bytes):
        raise TypeError("typst made more than one file")
    return pdf
