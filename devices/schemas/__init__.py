"""What the API says about the building, one module per subject."""

from devices.schemas.alarms import AlarmOut
from devices.schemas.control import (
    CommandIn,
    CommandOut,
    DeviceDetailOut,
    DeviceOut,
    MoveIn,
    SceneIn,
    SceneRunOut,
)
from devices.schemas.telemetry import Point, TelemetryOut

__all__ = [
    "AlarmOut",
    "CommandIn",
    "CommandOut",
    "DeviceDetailOut",
    "DeviceOut",
    "MoveIn",
    "Point",
    "SceneIn",
    "SceneRunOut",
    "TelemetryOut",
]
