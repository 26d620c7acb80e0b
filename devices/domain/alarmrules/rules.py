"""One alarm rule, understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from devices.domain.alarms import Code, Severity


class Kind(StrEnum):
    """What a rule watches."""

    THRESHOLD = "threshold"  # a metric beyond a limit, for a while
    RATE = "rate"  # a metric that rises or falls too fast
    LOAD = "load"  # a meter's power against what its room's circuit carries
    LAMP_HOURS = "lamp_hours"  # a counter of hours beyond a life
    OFFLINE = "offline"
    UPLINK = "uplink"  # the stream of an encoder on air
    COMMAND_FAILED = "command_failed"
    EVENT = "event"  # a device reports a fault by name
    TOLD = "told"  # raised by those above: a room that is not ready, a bad handover


# These watch one thing by one code each; of their rules the first that fits a device is in force.
CODE_OF: Mapping[Kind, Code] = {
    Kind.OFFLINE: Code.DEVICE_OFFLINE,
    Kind.UPLINK: Code.UPLINK_BAD,
    Kind.COMMAND_FAILED: Code.COMMAND_FAILED,
    Kind.EVENT: Code.FAULT,
}
TOLD = frozenset({Code.NOT_READY, Code.HANDOVER})
BY_SAMPLE = frozenset({Kind.THRESHOLD, Kind.LOAD, Kind.LAMP_HOURS})


@dataclass(frozen=True, slots=True)
class Scope:
    """Which devices a rule is for; an empty set leaves that side open."""

    kinds: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    space_types: frozenset[str] = frozenset()
    spaces: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom to tell when nobody acknowledged for so long."""

    after: timedelta
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flapping:
    """Raised so often within a time, an alarm stays until it was quiet for as long."""

    times: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `params` depend on the kind, see reading.py."""

    code: str
    kind: Kind
    severity: Severity
    title_zh: str
    title_en: str
    runbook_zh: str = ""
    runbook_en: str = ""
    enabled: bool = True
    scope: Scope = Scope()
    params: Mapping[str, Any] = field(default_factory=dict)
    notify: tuple[str, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    flapping: Flapping | None = None

    @property
    def alarm_code(self) -> str:
        """The code of its alarms: one of a code may be open per device."""
        return str(CODE_OF.get(self.kind, self.code))

    @property
    def metric(self) -> str | None:
        """The metric that it looks at, or None."""
        found = self.params.get("metric")
        return None if found is None else str(found)
