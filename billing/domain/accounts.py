"""The chart of accounts with which the books begin, and on which of them money lies.

Numbers and names follow the Chinese accounting standards for business enterprises; what the base
needs of it and no more. They are data: the table holds what was changed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One account: `role` is what postings ask for, `charge_kinds` what is earned on it."""

    code: str
    role: str
    name_zh: str
    name_en: str
    kind: str
    charge_kinds: tuple[str, ...] = ()


_ASSETS: Final = (
    ("1001", "cash", "库存现金", "Cash"),
    ("1002", "bank", "银行存款", "Bank"),
    ("1012", "online", "其他货币资金", "Online payment accounts"),
    ("1122", "receivable", "应收账款", "Receivables from tenants"),
    ("1221", "district", "其他应收款—区级补贴", "District subsidies receivable"),
)
_LIABILITIES: Final = (
    ("2203.01", "unallocated", "预收账款—待核销", "Receipts to be allocated"),
    ("2203.02", "wallet", "合同负债—预付钱包", "Prepaid wallets"),
    ("2221.01", "vat", "应交增值税—销项税额", "Output VAT due"),
    ("2221.08", "vat_pending", "待转销项税额", "Output VAT not due yet"),
    ("2241", "deposit", "其他应付款—押金", "Deposits of tenants"),
)
_INCOME: Final = (
    ("6001.01", "rent", "主营业务收入—租赁", "Revenue: leases", ("lease",)),
    ("6001.02", "rooms", "主营业务收入—直播间", "Revenue: rooms", ("room", "overtime")),
    ("6001.03", "services", "主营业务收入—服务", "Revenue: services", ("service",)),
    ("6001.04", "energy", "主营业务收入—能耗", "Revenue: energy", ("energy",)),
    ("6001.90", "discounts", "主营业务收入—优惠", "Discounts, credits", ("discount", "credit")),
    ("6051", "other", "其他业务收入", "Other revenue", ("fee",)),
    ("6051.01", "late_fees", "其他业务收入—滞纳金", "Late fees", ("late_fee",)),
    ("6117", "subsidies", "其他收益—区级补贴", "District subsidies", ()),
)
CHART: Final = (
    *(AccountPlan(*row, kind="asset") for row in _ASSETS),
    *(AccountPlan(*row, kind="liability") for row in _LIABILITIES),
    *(AccountPlan(a, b, zh, en, "income", kinds) for a, b, zh, en, kinds in _INCOME),
)
CLEARING: Final[Mapping[str, str]] = {"credit_note": "receivable"}
"""Where money waits until it is allocated, by method; all else among the receipts."""

LIES_ON: Final[Mapping[str, str]] = {
    "cash": "cash",
    "transfer": "bank",
    "card": "bank",
    "wechat": "online",
    "alipay": "online",
    "wallet": "wallet",
    "deposit": "deposit",
}
"""Where money of a method comes from and goes to."""


def clearing(method: str) -> str:
    """The role of the account on which money of a method waits."""
    return CLEARING.get(method, "unallocated")
