"""Short names for invoice lines, and English names that the data file does not carry."""

POLICY_LABELS = {
    "P01": ("首年免费时数", "First-year free hours"),
    "P02": ("租金阶梯减免", "Stepped rent relief"),
    "P04": ("培训合作优惠", "Training partner"),
    "P05": ("公益培训免费", "Public-interest training"),
    "P06": ("夜间连用优惠", "Night block"),
    "P07": ("高校共建优惠", "University co-building"),
    "P08": ("珠宝试点", "Jewellery pilot"),
    "P09": ("汽车试点", "Automobile pilot"),
    "P10": ("头部主播支持", "Headline-anchor support"),
    "P11": ("区属MCN联动", "District-MCN joint session"),
    "P12": ("月用量优惠", "Monthly volume"),
    "P13": ("合规A级", "Compliance rating A"),
    "P15": ("大促上限", "surge ceiling"),
    "P16": ("总优惠上限", "overall ceiling"),
}
SERVICE_NAMES_EN = {
    "SV-DIR": "Vision mixing (director)",
    "SV-FIELD": "Floor control",
    "SV-ASSIST": "Assistant host",
    "SV-VP": "Virtual-production engineer",
    "SV-MK": "Make-up and styling",
    "SV-CTRL": "Master control add-on",
    "SV-REC": "Recording and archive (60 days)",
    "SV-CAM": "Additional camera",
    "SV-CLEAN": "Deep cleaning",
    "SV-KWH": "Excess electricity",
    "SV-OPS": "Managed operation (base fee)",
    "SV-COMM": "Managed operation commission",
}
BAND_NAMES = {
    "off_peak": ("闲时", "off-peak"),
    "standard": ("平时", "standard"),
    "prime": ("黄金", "prime"),
}
SURGE_NAMES_EN = {
    "SG-618": "618 shopping festival",
    "SG-D11": "Double 11",
    "SG-D12": "Double 12",
    "SG-NY": "New Year shopping",
}
