"""The alarm rules that a new base begins with: version 1.

Source of the limits: base data, telemetry_limits (clear at warn_high, raise at critical_high).
"""

from typing import Any

VERSION = 1
NOTE = "首版:出厂规则 / First version, as shipped"
_VITAL = ["encoder", "network"]  # without them no show
_FLAPPING = {"times": 4, "within_min": 10}


def document() -> dict[str, Any]:
    """A fresh copy of the document."""
    return {"rules": [*_devices(), *_rooms(), *_measured()]}


def _rule(code: str, kind: str, severity: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    urgent = severity == "critical"
    return {
        "code": code,
        "kind": kind,
        "severity": severity,
        "title_zh": zh,
        "title_en": en,
        "runbook_zh": more.pop("do_zh"),
        "runbook_en": more.pop("do_en"),
        "enabled": True,
        "scope": more.pop("scope", {}),
        "params": more,
        "notify": [] if severity == "info" else ["technician"],
        "escalate": [{"after_min": 10 if urgent else 60, "to": ["manager"]}]
        if severity != "info"
        else [],
        "flapping": _FLAPPING,
    }


def _devices() -> list[dict[str, Any]]:
    offline = {
        "do_zh": "检查电源与网线;10 分钟内未恢复则更换备机。",
        "do_en": "Check power and cable; swap for a spare if it is not back within 10 minutes.",
    }
    failed = {
        "do_zh": "在设备页查看失败原因并重发;仍失败则现场手动操作。",
        "do_en": "See why on the device's page and send again; else do it by hand on site.",
    }
    fault = {
        "do_zh": "现场查看设备,按事件内容处理。",
        "do_en": "Look at the device and act on what it reported.",
    }
    return [
        _rule("offline_vital", "offline", "critical", "设备离线", "Device offline",
              scope={"kinds": _VITAL}, **offline),
        _rule("offline", "offline", "warning", "设备离线", "Device offline", **offline),
        _rule("command_failed_vital", "command_failed", "critical", "指令执行失败",
              "A command failed", scope={"kinds": _VITAL}, **failed),
        _rule("command_failed_any", "command_failed", "warning", "指令执行失败",
              "A command failed", **failed),
        _rule("uplink", "uplink", "critical", "上行链路质量差", "Uplink is bad",
              do_zh="切换备用上行或降低码率,并告知主播。",
              do_en="Switch to the other uplink or lower the bitrate, and tell the anchor.",
              scope={"kinds": ["encoder"]}),
        _rule("smoke", "event", "critical", "烟雾报警", "Smoke", names=["smoke"],
              do_zh="立即核实;确认火情即疏散并拨打 119。",
              do_en="Verify at once; on fire evacuate and call 119."),
        _rule("fault", "event", "warning", "设备报告故障", "The device reports a fault",
              names=["fault", "tamper", "overload"], **fault),
    ]  # fmt: skip


def _rooms() -> list[dict[str, Any]]:
    return [
        _rule("not_ready", "told", "warning", "空间未就绪", "The room is not ready",
              do_zh="按红灯原因逐项处理;来不及则为租户换房。",
              do_en="Work through the reasons of the red light; else offer another room."),
        _rule("handover", "told", "warning", "交接发现问题", "The handover found a problem",
              do_zh="到现场复核并在交接记录中结案。",
              do_en="Check on site and settle it in the handover."),
    ]  # fmt: skip


def _measured() -> list[dict[str, Any]]:
    return [
        _rule("overload", "load", "critical", "回路过载", "Circuit overloaded",
              limit=0.95, clear=0.8, for_s=30, scope={"kinds": ["power_meter"]},
              do_zh="关闭非必要设备,勿再上电;核对回路容量。",
              do_en="Switch off what is not needed; check what the circuit carries."),
        _rule("head_hot", "threshold", "warning", "灯头过热", "Lamp head too hot",
              metric="head_temp_c", limit=90, clear=75, for_s=60, scope={"kinds": ["light"]},
              do_zh="降低亮度并检查风扇与散热。", do_en="Dim it; check its fan and airflow."),
        _rule("room_hot", "threshold", "warning", "室温过高", "Room too hot",
              metric="temperature_c", limit=32, clear=28, for_s=300, scope={"kinds": ["sensor"]},
              do_zh="调低空调设定;检查出风。",
              do_en="Lower the air conditioning; check its outlet."),
        _rule("air_stale", "threshold", "warning", "二氧化碳过高", "Too much CO2",
              metric="co2_ppm", limit=1500, clear=1000, for_s=300, scope={"kinds": ["sensor"]},
              do_zh="加大新风,开门换气。", do_en="Let fresh air in."),
        _rule("heat_rise", "rate", "critical", "温度骤升", "Heat rises fast",
              metric="temperature_c", direction="rise", per_min=2, window_s=300,
              scope={"kinds": ["sensor"]},
              do_zh="立即到场排查火情。", do_en="Go and look for fire at once."),
        _rule("wan_slow", "threshold", "critical", "出口时延过高", "Uplink of the base too slow",
              metric="rtt_ms", limit=150, clear=100, for_s=60, scope={"kinds": ["network"]},
              do_zh="切换备用线路并联系运营商。",
              do_en="Switch to the other line; call the provider."),
        _rule("battery_low", "threshold", "warning", "电量不足", "Battery low",
              metric="battery_pct", side="below", limit=15, clear=25, for_s=60,
              do_zh="更换或充电。", do_en="Replace or charge it."),
        _rule("lamp_worn", "lamp_hours", "info", "灯具寿命将尽", "Lamp near the end of its life",
              limit=20_000, scope={"kinds": ["light"]},
              do_zh="列入下次维护更换。", do_en="Replace it at the next maintenance."),
    ]  # fmt: skip
