"""The building as the database knows it."""

from devices.models.accounts import BrokerAccount
from devices.models.alarms import Alarm, AlarmComment, AlarmPending, AlarmRules, AlarmSilence
from devices.models.control import Command, Grant, SceneRun
from devices.models.foreign import Foreign, ForeignDocument
from devices.models.lifecycle import (
    Adoption,
    CommissioningRun,
    CommissioningStep,
    LifeEvent,
    MaintenanceWindow,
    RegistrySettings,
    WindowStay,
)
from devices.models.overrides import InterlockOverride
from devices.models.places import Mounting, Place
from devices.models.registry import Device, DeviceModel, Shadow
from devices.models.telemetry import RollupMark, Telemetry
from devices.models.vault import StreamTarget
from devices.models.watch import (
    BridgeHeartbeat,
    EnergyReading,
    Outage,
    StreamSession,
)

__all__ = [
    "Adoption",
    "Alarm",
    "AlarmComment",
    "AlarmPending",
    "AlarmRules",
    "AlarmSilence",
    "BridgeHeartbeat",
    "BrokerAccount",
    "Command",
    "CommissioningRun",
    "CommissioningStep",
    "Device",
    "DeviceModel",
    "EnergyReading",
    "Foreign",
    "ForeignDocument",
    "Grant",
    "InterlockOverride",
    "LifeEvent",
    "MaintenanceWindow",
    "Mounting",
    "Outage",
    "Place",
    "RegistrySettings",
    "RollupMark",
    "SceneRun",
    "Shadow",
    "StreamSession",
    "StreamTarget",
    "Telemetry",
    "WindowStay",
]
