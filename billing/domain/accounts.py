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


CHART: Final = (
    AccountPlan("1001", "cash", "库存现金", "Cash", "asset"),
    AccountPlan("1002", "bank", "银行存款", "Bank", "asset"),
    AccountPlan("1012", "online", "其他货币资金", "Online payment accounts", "asset"),
    AccountPlan("1122", "receivable", "应收账款", "Receivables from tenants", "asset"),
    AccountPlan("1221", "district", "其他应收款—区级补贴", "District subsidies receivable", "asset"),
    AccountPlan("2203.01", "unallocated", "预收账款—待核销", "Receipts to be allocated", "liability"),
    AccountPlan("2203.02", "wallet", "合同负债—预付钱包", "Prepaid wallets", "liability"),
    AccountPlan("2221.01", "vat", "应交增值税—销项税额", "Output VAT due", "liability"),
    AccountPlan("2221.08", "vat_pending", "待转销项税额", "Output VAT not due yet", "liability"),
    AccountPlan("2241", "deposit", "其他应付款—押金", "Deposits of tenants", "liability"),
    AccountPlan("6001.01", "rent", "主营业务收入—租赁", "Revenue: leases", "income", ("lease",)),
    AccountPlan(
        "6001.02", "rooms", "主营业务收入—直播间", "Revenue: rooms", "income", ("room", "overtime")
    ),
    AccountPlan("6001.03", "services", "主营业务收入—服务", "Revenue: services", "income", ("service",)),
    AccountPlan("6001.04", "energy", "主营业务收入—能耗", "Revenue: energy", "income", ("energy",)),
    AccountPlan(
        "6001.90", "discounts", "主营业务收入—优惠及赔付", "Discounts and credits", "income",
        ("discount", "credit"),
    ),
    AccountPlan("6051", "other", "其他业务收入", "Other revenue", "income", ("fee",)),
    AccountPlan("6051.01", "late_fees", "其他业务收入—滞纳金", "Late fees", "income", ("late_fee",)),
    AccountPlan("6117", "subsidies", "其他收益—区级补贴", "District subsidies", "income"),
)  # fmt: skip
OTHER_REVENUE: Final = "other"
"""The role of what no account names."""

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
