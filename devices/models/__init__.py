"""The building as the database knows it."""

from devices.models.control import Command, Grant, SceneRun
from devices.models.registry import Device, DeviceModel, Shadow
from devices.models.telemetry import RollupMark, Telemetry
from devices.models.watch import (
    Alarm,
    BridgeHeartbeat,
    EnergyReading,
    Outage,
    StreamSession,
)

__all__ = [
    "Alarm",
    "BridgeHeartbeat",
    "Command",
    "Device",
    "DeviceModel",
    "EnergyReading",
    "Grant",
    "Outage",
    "RollupMark",
    "SceneRun",
    "Shadow",
    "StreamSession",
    "Telemetry",
]
