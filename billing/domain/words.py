"""Names of closed code sets in both languages, for the reasons on quotes."""

from collections.abc import Iterable, Mapping

from billing.domain.texts import Bi

CATEGORIES = {
    "platform": Bi("直播平台", "streaming platforms"),
    "mcn_guild": Bi("MCN机构/公会", "MCNs and guilds"),
    "district_mcn": Bi("区属MCN机构", "district MCNs"),
    "brand": Bi("品牌方", "brands"),
    "factory": Bi("工厂", "factories"),
    "anchor": Bi("个人主播", "individual anchors"),
    "training_institute": Bi("培训机构", "training institutes"),
    "university": Bi("高校", "universities"),
    "chamber": Bi("镇街商会", "chambers of commerce"),
    "supply_service": Bi("供应链服务商", "supply-chain services"),
    "public_body": Bi("公共机构", "public bodies"),
}
SPACE_TYPES = {
    "studio_single": Bi("单人直播间", "single studios"),
    "studio_team": Bi("团队直播间", "team studios"),
    "studio_team_l": Bi("多机位带货直播间", "multi-camera studios"),
    "studio_jewel": Bi("珠宝直播间", "jewellery studios"),
    "studio_voice": Bi("语音直播间", "voice booths"),
    "studio_virtual": Bi("虚拟直播间", "virtual studios"),
    "studio_scene": Bi("实景直播间", "real-scene studios"),
    "studio_auto": Bi("汽车直播间", "automobile studios"),
    "studio_variety": Bi("综艺直播厅", "variety stages"),
    "classroom": Bi("培训教室", "classrooms"),
    "practice": Bi("实训工坊", "practice workshops"),
    "university": Bi("高校工作室", "university studios"),
}
TAGS = {
    "training_partner": Bi("培训合作伙伴", "a training partner"),
    "public_interest": Bi("公益机构", "a public-interest body"),
    "headline_anchor": Bi("头部主播", "a headline anchor"),
}
PURPOSES = {
    "public_training": Bi("普及性培训", "public training"),
    "policy_briefing": Bi("政策宣讲", "policy briefings"),
    "rural_aid": Bi("助农", "rural aid"),
}
INDUSTRIES = {
    "jewellery": Bi("珠宝", "jewellery"),
    "automobile": Bi("汽车", "automobiles"),
}
BANDS = {
    "off_peak": Bi("闲时", "off-peak"),
    "standard": Bi("平时", "standard"),
    "prime": Bi("黄金时段", "prime time"),
}
CLOSED = {
    "public": Bi("公益与支持", "public support"),
    "entry": Bi("入驻", "entry"),
    "pilot": Bi("试点", "pilot"),
    "volume": Bi("用量", "volume"),
}


def listed(codes: Iterable[str], names: Mapping[str, Bi]) -> Bi:
    """The names of the codes, in a fixed order; an unknown code stands for itself."""
    found = [names.get(code, Bi(code, code)) for code in sorted(codes)]
    return Bi("、".join(n.zh for n in found), ", ".join(n.en for n in found))
