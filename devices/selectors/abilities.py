"""What a device can be told: its kind's table, its model's limits."""

from devices.domain import limits
from devices.domain.capabilities import Table
from devices.models import Device


def able(device: Device) -> Table:
    """The table of a device; `model` should be loaded."""
    model = device.model
    return limits.table(
        kind=device.kind,
        model=model.code if model else "",
        limits=model.limits if model else None,
    )


def is_special(device: Device) -> bool:
    """Whether its table is not simply that of its kind and model."""
    return bool(device.model and device.model.limits)
