"""The building as the database knows it."""

from devices.models.control import Command, Grant, SceneRun
from devices.models.registry import Device, DeviceModel, Shadow
from devices.models.watch import (
    Alarm,
    BridgeHeartbeat,
    EnergyReading,
    StreamSession,
    Telemetry,
)

__all__ = [
    "Alarm",
    "BridgeHeartbeat",
    "Command",
    "Device",
    "DeviceModel",
    "EnergyReading",
    "Grant",
    "SceneRun",
    "Shadow",
    "StreamSession",
    "Telemetry",
]
