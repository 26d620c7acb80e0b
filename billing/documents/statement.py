"""A statement as PDF/A-2b, through the invoice's template: movements take the place of lines."""

import json
from collections.abc import Mapping
from typing import Any

from billing.documents.content import Language, grouped
from billing.documents.pdf import typeset
from billing.documents.words import WORDS
from billing.domain.capitals import capitals
from billing.models import Statement

KINDS = {
    "invoice": ("费用账单", "Invoice"),
    "credit_note": ("红字账单", "Credit note"),
    "payment": ("收款", "Payment"),
    "refund": ("退款", "Refund"),
}
SAID: dict[str, dict[str, str]] = {
    "zh": {
        "heading": "对账单", "opening": "期初余额", "closing": "期末余额", "moved": "本期发生",
        "number": "编号", "period": "月份", "band": "日期", "gross": "金额", "net": "余额",
        "buyer": "租户", "note": "请核对；对任一账单行有异议，请在线提出，无异议请确认。",
    },
    "en": {
        "heading": "STATEMENT", "opening": "Opening balance", "closing": "Closing balance",
        "moved": "Movements", "number": "No.", "period": "Month", "band": "Date",
        "gross": "Amount", "net": "Balance", "buyer": "Tenant",
        "note": "Please check: dispute a line of a document online, or confirm the whole.",
    },
}  # fmt: skip


def render(row: Statement, lang: Language, seller: Mapping[str, str]) -> bytes:
    """The PDF of a statement; identical bytes each time while the seller stays."""
    data = json.dumps(content(row, lang, seller), ensure_ascii=False)
    return typeset(data, at=row.created_at)


def content(row: Statement, lang: Language, seller: Mapping[str, str]) -> dict[str, Any]:
    """Everything the template shows."""
    said, words = SAID[lang], WORDS[lang]
    names = {key: said[key] for key in ("number", "period", "band", "gross", "net", "buyer")}
    number = f"DZ-{row.month:%Y-%m}-{row.pk}"
    return {
        "lang": lang,
        "title": f"{said['heading']} {number}",
        "heading": said["heading"],
        "labels": words["labels"]
        | names
        | {"total": said["closing"], "qty": "", "unit_price": "", "rate": "", "vat": ""},
        "number": number,
        "issued_on": row.created_at.date().isoformat(),
        "period": f"{row.month:%Y-%m}",
        "base": {"name": seller[f"name_{lang}"], "sub": ""},
        "seller": {
            "name": seller[f"name_{lang}"],
            "rows": [[words["name"], seller[f"name_{lang}"]]],
        },
        "buyer": {
            "rows": [
                [words["name"], row.tenant.name_zh if lang == "zh" else row.tenant.name_en],
                [words["code"], row.tenant.code],
            ]
        },
        "lines": _lines(row, lang),
        "rates": [],
        "totals": [
            [said["opening"], grouped(row.opening_fen)],
            [said["moved"], grouped(row.moved_fen)],
        ],
        "total": f"¥ {grouped(row.closing_fen)}",
        "capitals": f"人民币{capitals(row.closing_fen)}",
        "notes": [said["note"]],
        "footer": words["footer"],
        "qr": "",
        "verify": "",
    }


def _lines(row: Statement, lang: Language) -> list[dict[str, Any]]:
    return [
        {
            "pos": str(entry.position),
            "text": f"{KINDS[entry.kind][0 if lang == 'zh' else 1]} {entry.reference}",
            "discount": False,
            "tags": [],
            "band": entry.on.isoformat(),
            "qty": "",
            "unit_price": "",
            "rate": "",
            "vat": "",
            "net": grouped(entry.balance_fen),
            "gross": grouped(entry.amount_fen),
        }
        for entry in row.entries.all()
    ]
