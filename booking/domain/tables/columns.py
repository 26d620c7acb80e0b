"""The columns of a table of bookings, by their Chinese or English names."""

from types import MappingProxyType

from base_ops.core.tables.columns import Columns

NAMES = MappingProxyType(
    {
        "space": (
            "空间", "空间编号", "空间代码", "房间", "直播间", "场地",
            "space", "space code", "room", "studio",
        ),
        "date": ("日期", "date", "day"),
        "starts_at": ("开始", "开始时间", "起始时间", "starts at", "start", "start time", "from"),
        "ends_at": ("结束", "结束时间", "ends at", "end", "end time", "to", "until"),
        "title": ("标题", "主题", "名称", "title", "subject", "summary"),
        "purpose": ("用途", "purpose"),
        "headcount": ("人数", "headcount", "people"),
        "units": ("数量", "工位数", "units"),
        "services": ("服务", "services"),
    }
)  # fmt: skip
COLUMNS = Columns(NAMES, required=("space", "starts_at", "ends_at"))
