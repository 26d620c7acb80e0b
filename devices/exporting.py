"""The inventory as rows of a table, in the language of whoever asks."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from base_ops.core.tables.writing import Value
from devices.domain import inventory
from devices.domain import shadow as shadows
from devices.domain.shadow import Link
from devices.models import Device, Mounting

Language = Literal["zh", "en"]
_MORE = {
    "zh": ("状态", "类型", "接入", "品牌型号", "固件", "应有固件", "连接", "最后在线", "脱管时间"),
    "en": ("status", "kind", "convention", "make", "firmware", "wanted firmware", "link",
           "last seen", "orphaned at"),
}  # fmt: skip


def rows(
    devices: Iterable[Device], *, language: Language, now: datetime
) -> Iterator[Sequence[Value]]:
    """The header, then a row for each device; what an import reads comes first."""
    column = 0 if language == "zh" else 1
    yield (*(names[column] for names in inventory.NAMES.values()), *_MORE[language])
    found = list(devices)
    places = _places(found)
    for device in found:
        yield _row(device, places.get(device.pk, ""), now)


def _places(devices: Sequence[Device]) -> dict[int, str]:
    mountings = Mounting.objects.filter(device__in=devices, until=None)
    return dict(mountings.values_list("device_id", "place__code"))


def _row(device: Device, place: str, now: datetime) -> Sequence[Value]:
    model, shadow = device.model, getattr(device, "shadow", None)
    link = Link.UNKNOWN
    if shadow is not None:
        link = shadows.link_at(Link(shadow.link), shadow.last_seen_at, now)
    return (
        device.code,
        model.code if model else "",
        device.space.code if device.space else "",
        place,
        device.role,
        device.serial,
        device.note,
        device.status,
        device.kind,
        device.convention,
        f"{model.brand} {model.model}" if model else str(device.meta.get("model", "")),
        str(device.meta.get("firmware", "")),
        model.firmware if model else "",
        str(link),
        shadow.last_seen_at if shadow else None,
        device.orphaned_at,
    )
