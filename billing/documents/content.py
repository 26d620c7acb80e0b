"""What stands on a document: rows of an invoice as texts, before any layout."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from base_ops.core import money
from billing.documents import proof
from billing.documents.words import INVOICE_TYPES_EN, WORDS
from billing.domain.capitals import capitals
from billing.domain.labels import BAND_NAMES
from billing.domain.reds import REASONS, RedReason
from billing.models import Invoice, InvoiceLine, RedLetter

Language = Literal["zh", "en"]


def content(invoice: Invoice, lines: Sequence[InvoiceLine], lang: Language) -> dict[str, Any]:
    """Everything the template shows, as JSON values."""
    words = WORDS[lang]
    return {
        "lang": lang,
        "title": f"{words[invoice.kind]} {invoice.number}",
        "heading": words[invoice.kind],
        "labels": words["labels"],
        "number": invoice.number,
        "issued_on": invoice.issued_on.isoformat(),
        "period": f"{invoice.period_from.isoformat()} – {invoice.period_to.isoformat()}",
        "base": _base(lang),
        "seller": {
            "name": invoice.seller[f"name_{lang}"],
            "rows": _seller(invoice.seller, words, lang),
        },
        "buyer": {"rows": _buyer(invoice.buyer, words, lang)},
        "lines": [_line(entry, lang) for entry in lines],
        "rates": _rates(lines),
        "totals": _totals(invoice, lines, words),
        "total": f"¥ {grouped(invoice.gross_fen)}",
        "capitals": f"人民币{capitals(invoice.gross_fen)}",
        "notes": _notes(invoice, words, lang),
        "footer": words["footer"],
        "qr": proof.picture(proof.address(str(invoice.number))),
        "verify": words["verify"],
    }


def grouped(fen: int) -> str:
    """Yuan with thousands separators, e.g. -1,234.50."""
    whole, cents = money.yuan(abs(fen)).split(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{cents}"


def _base(lang: Language) -> dict[str, str]:
    if lang == "zh":
        return {"name": "番禺直播基地", "sub": "Panyu Livestream Base · 示例"}
    return {"name": "Panyu Livestream Base", "sub": "番禺直播基地 · illustrative"}


def _seller(
    seller: Mapping[str, str], words: Mapping[str, Any], lang: Language
) -> list[list[str]]:
    rows = [[words["name"], seller[f"name_{lang}"]]]
    if seller.get("uscc"):
        rows.append([words["uscc"], seller["uscc"]])
    return [*rows, [words["address"], seller[f"address_{lang}"]]]


def _buyer(buyer: Mapping[str, str], words: Mapping[str, Any], lang: Language) -> list[list[str]]:
    """English documents carry the registered Chinese name too: only that one is legal."""
    rows = [[words["name"], buyer[f"name_{lang}"]]]
    if lang == "en":
        rows.append(["", buyer["name_zh"]])
    if buyer.get("uscc"):
        rows.append([words["uscc"], buyer["uscc"]])
    kind = buyer.get("invoice_type", "")
    rows.append([words["code"], buyer["code"]])
    if kind:
        rows.append([words["type"], kind if lang == "zh" else INVOICE_TYPES_EN.get(kind, kind)])
    return rows


def _line(entry: InvoiceLine, lang: Language) -> dict[str, Any]:
    return {
        "pos": str(entry.position),
        "text": entry.description_zh if lang == "zh" else entry.description_en,
        "discount": entry.gross_fen < 0,
        "tags": [entry.policy] if entry.policy else [],
        "band": _band(entry, lang),
        "qty": _quantity(entry),
        "unit_price": _unit_price(entry),
        "rate": f"{(entry.vat_rate * 100).normalize():f}%",
        "net": grouped(entry.net_fen),
        "vat": grouped(entry.vat_fen),
        "gross": grouped(entry.gross_fen),
    }


def _band(entry: InvoiceLine, lang: Language) -> str:
    """Band and surge, e.g. 黄金 ×1.30."""
    names = BAND_NAMES.get(entry.band, ("", ""))
    surge = f" ×{entry.surge}" if entry.surge > 1 else ""
    return f"{names[0] if lang == 'zh' else names[1]}{surge}"


def _quantity(entry: InvoiceLine) -> str:
    """Sessions and hours of a room; hours of a service; a plain number else."""
    hourly = entry.unit == "hour" and not entry.price_text
    return f"{entry.quantity}h" if hourly else entry.quantity


def _unit_price(entry: InvoiceLine) -> str:
    if entry.price_text:
        return entry.price_text
    return grouped(entry.unit_fen) if entry.unit_fen is not None else ""


def _rates(lines: Sequence[InvoiceLine]) -> list[dict[str, str]]:
    """Sums by VAT rate, highest first."""
    net: dict[str, int] = defaultdict(int)
    vat: dict[str, int] = defaultdict(int)
    for entry in sorted(lines, key=lambda x: -x.vat_rate):
        name = f"{(entry.vat_rate * 100).normalize():f}%"
        net[name] += entry.net_fen
        vat[name] += entry.vat_fen
    return [{"name": n, "net": grouped(net[n]), "vat": grouped(vat[n])} for n in net]


def _totals(
    invoice: Invoice, lines: Sequence[InvoiceLine], words: Mapping[str, Any]
) -> list[list[str]]:
    off = sum(entry.gross_fen for entry in lines if entry.gross_fen < 0)
    rows = [[words["net"], grouped(invoice.net_fen)], [words["vat"], grouped(invoice.vat_fen)]]
    if off and invoice.kind == "invoice":
        listed = [words["list"], grouped(invoice.gross_fen - off)]
        return [listed, [words["discount"], grouped(off)], *rows]
    return rows


def _red(invoice: Invoice, words: Mapping[str, Any], lang: Language) -> list[str]:
    """Which invoice a red letter takes back, and why."""
    letter = RedLetter.objects.filter(credit_note=invoice).select_related("invoice").first()
    if letter is None:
        return []
    code, zh, en = REASONS[RedReason(letter.reason)]
    reason = f"{zh if lang == 'zh' else en} ({code})"
    return [words["red"].format(number=letter.invoice.number, reason=reason)]


def _notes(invoice: Invoice, words: Mapping[str, Any], lang: Language) -> list[str]:
    if invoice.kind == "credit_note":
        return [*_red(invoice, words, lang), words["credit"], words["dispute"]]
    seller = invoice.seller
    return [
        words["due"].format(due=invoice.due_on.isoformat()),
        words["bank"].format(
            name=seller[f"name_{lang}"], bank=seller[f"bank_{lang}"], account=seller["account"]
        ),
        words["reference"].format(number=invoice.number),
        words["dispute"],
    ]
