"""The data of fully digital e-invoices (数电票): what the tax platform's import asks for.

An invoice with leases of the building and other things becomes two: a special element (特定业务)
stands for all lines of an e-invoice or for none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from base_ops.core import money
from billing.domain.capitals import capitals

LEASE = "06"
"""不动产经营租赁服务."""
AREA_UNIT = "平方米"
Merge = Literal["lines", "rate"]

NAMES: Mapping[str, tuple[str, str]] = {
    "modern_service_6": ("*现代服务*场地使用及直播服务", "3049900000000000000"),
    "real_estate_lease_9": ("*经营租赁*不动产租赁", "3040502020000000000"),
    "tangible_lease_13": ("*经营租赁*设备租赁", "3040502010000000000"),
    "small_scale_1": ("*现代服务*其他服务", "3049900000000000000"),
    "none": ("*现代服务*其他服务", "3049900000000000000"),
}
"""Name and code of the classification, by VAT category; finance checks it once."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an invoice."""

    vat_category: str
    vat_rate: Decimal
    description: str
    unit: str
    quantity: str
    net_fen: int
    vat_fen: int
    starts_on: date | None = None
    ends_on: date | None = None
    place: str = ""

    @property
    def element(self) -> str:
        """The special element that it needs."""
        return LEASE if self.vat_category == "real_estate_lease_9" else ""


def parts(
    number: str,
    seller: Mapping[str, str],
    buyer: Mapping[str, str],
    items: Sequence[Item],
    merge: Merge,
) -> list[dict[str, Any]]:
    """The e-invoices that an invoice becomes, leases first; each with its serial, number/place."""
    found: list[dict[str, Any]] = []
    for element in (LEASE, ""):
        mine = [item for item in items if item.element == element]
        if mine:
            serial = f"{number}/{len(found) + 1}"
            found.append(_part(serial, element, seller, buyer, mine, merge))
    return found


def _part(
    serial: str,
    element: str,
    seller: Mapping[str, str],
    buyer: Mapping[str, str],
    items: Sequence[Item],
    merge: Merge,
) -> dict[str, Any]:
    net, vat = sum(i.net_fen for i in items), sum(i.vat_fen for i in items)
    lines = _lines(_merged(items) if merge == "rate" else items)
    special = "专用" in buyer.get("invoice_type", "")
    return {
        "serial": serial,
        "kind": "电子发票（增值税专用发票）" if special else "电子发票（普通发票）",
        "special_element": element,
        "buyer": {"name": buyer["name_zh"], "tax_number": buyer.get("uscc", "")},
        "seller": {
            "name": seller["name_zh"],
            "tax_number": seller.get("uscc", ""),
            "address": seller.get("address_zh", ""),
            "bank": seller.get("bank_zh", ""),
            "account": seller.get("account", ""),
        },
        "lines": lines,
        "leases": _leases(seller, items) if element == LEASE else [],
        "net": money.yuan(net),
        "vat": money.yuan(vat),
        "gross": money.yuan(net + vat),
        "capitals": capitals(net + vat),
        "remark": f"账单号 {serial}",
    }


def _merged(items: Sequence[Item]) -> list[Item]:
    """One line for each VAT category and rate, discounts taken off."""
    sums: dict[tuple[str, Decimal], Item] = {}
    for item in items:
        key = (item.vat_category, item.vat_rate)
        old = sums.get(key)
        blank = replace(item, description="", unit="", quantity="1")
        sums[key] = blank if old is None else replace(
            old, net_fen=old.net_fen + item.net_fen, vat_fen=old.vat_fen + item.vat_fen
        )  # fmt: skip
    return list(sums.values())


def _lines(items: Sequence[Item]) -> list[dict[str, str]]:
    """With the nature of each: 00 plain, 02 discounted, 01 the discount that follows it."""
    lines = []
    for place, item in enumerate(items, start=1):
        follows = place < len(items) and items[place].net_fen + items[place].vat_fen < 0
        off = item.net_fen + item.vat_fen < 0
        name, code = NAMES.get(item.vat_category, NAMES["none"])
        lines.append(
            {
                "position": str(place),
                "nature": "01" if off else "02" if follows else "00",
                "name": name,
                "tax_code": code,
                "specification": "" if off else item.description[:40],
                "unit": "" if off else item.unit,
                "quantity": "" if off else item.quantity,
                "net": money.yuan(item.net_fen),
                "rate": f"{item.vat_rate.normalize():f}",
                "vat": money.yuan(item.vat_fen),
            }
        )
    return lines


def _leases(seller: Mapping[str, str], items: Sequence[Item]) -> list[dict[str, str]]:
    """The special element 06, once for each place and span that is let."""
    rows: dict[tuple[str, date | None, date | None], dict[str, str]] = {}
    for item in items:
        street = f"{seller.get('property_zh', '')} {item.place}".strip()
        rows.setdefault(
            (item.place, item.starts_on, item.ends_on),
            {
                "region": seller.get("region_zh", ""),
                "address": street,
                "starts_on": item.starts_on.isoformat() if item.starts_on else "",
                "ends_on": item.ends_on.isoformat() if item.ends_on else "",
                "cross_city": seller.get("cross_city", "N"),
                "certificate": seller.get("certificate", ""),
                "area_unit": AREA_UNIT,
            },
        )
    return list(rows.values())


def as_xml(found: Sequence[Mapping[str, Any]]) -> bytes:
    """The same as XML."""
    root = Element("EInvoices")
    for part in found:
        _put(SubElement(root, "EInvoice"), part)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _put(node: Element, value: Mapping[str, Any]) -> None:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            _put(SubElement(node, name), inner)
        elif isinstance(inner, list):
            holder = SubElement(node, name)
            for row in inner:
                _put(SubElement(holder, name.removesuffix("s")), row)
        else:
            SubElement(node, name).text = _xml(str(inner))


def _xml(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
