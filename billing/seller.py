"""Who sends the invoices. Illustrative, like the base itself."""

SELLER = {
    "name_zh": "番禺直播基地运营管理有限公司（示例）",
    "name_en": "Panyu Livestream Base Operations Co., Ltd. (illustrative)",
    "uscc": "",
    "address_zh": "广州市番禺区万博商务区（示例地址）",
    "address_en": "Wanbo business district, Panyu, Guangzhou (illustrative address)",
    "bank_zh": "示例银行广州万博支行",
    "bank_en": "Example Bank, Guangzhou Wanbo branch",
    "account": "0000 0000 0000 0000",
}
"""What the seller is before somebody says otherwise; each invoice copies who it is then."""

TERMS_DAYS = 15
LATE_FEE_PER_DAY = "0.05%"
"""pricing_rules.late_fee_per_day of the demo data."""
PROPERTY = {
    "region_zh": "广东省广州市番禺区",
    "property_zh": "万博商务区（示例地址）",
    "certificate": "粤（示例）广州市不动产权第0000000号",
}
"""What the special element for leases says of the building."""
