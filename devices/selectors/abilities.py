"""What a device can be told: its kind's table or its own, and its model's limits."""

from devices.domain import limits
from devices.domain.capabilities import Table
from devices.models import Device


def able(device: Device) -> Table:
    """The table of a device; `model` should be loaded."""
    model = device.model
    if device.convention != "wb1":
        foreign = getattr(device, "foreign", None)
        own = limits.parse(foreign.able) if foreign else {}
        return limits.changed(own, model.limits) if model else own
    return limits.table(
        kind=device.kind,
        model=model.code if model else "",
        limits=model.limits if model else None,
    )


def is_special(device: Device) -> bool:
    """Whether its table is not simply that of its kind and model."""
    return device.convention != "wb1" or bool(device.model and device.model.limits)
