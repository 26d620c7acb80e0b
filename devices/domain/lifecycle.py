"""The life of a device in the registry: one table of transitions, no I/O.

quarantine → active ⇄ maintenance → retired. A stranger that says what it is waits in quarantine
until people adopt or reject it. A retired one may be readmitted, and waits again.
"""

from collections.abc import Mapping
from enum import StrEnum

from base_ops.core.errors import Conflict


class Stage(StrEnum):
    """Where a device stands."""

    QUARANTINE = "quarantine"
    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"


class Deed(StrEnum):
    """What people do to it."""

    ADOPT = "adopt"
    REJECT = "reject"
    SERVICE = "service"
    RETURN = "return"
    RETIRE = "retire"
    READMIT = "readmit"


class NotPossible(Conflict):
    """The device is not where this deed begins; `possible` names the deeds that are."""

    code, title_zh, title_en = (
        "device_transition",
        "设备当前状态不允许此操作",
        "Not possible for a device in this stage",
    )


TRANSITIONS: Mapping[tuple[Stage, Deed], Stage] = {
    (Stage.QUARANTINE, Deed.ADOPT): Stage.ACTIVE,
    (Stage.QUARANTINE, Deed.REJECT): Stage.RETIRED,
    (Stage.ACTIVE, Deed.SERVICE): Stage.MAINTENANCE,
    (Stage.ACTIVE, Deed.RETIRE): Stage.RETIRED,
    (Stage.MAINTENANCE, Deed.RETURN): Stage.ACTIVE,
    (Stage.MAINTENANCE, Deed.RETIRE): Stage.RETIRED,
    (Stage.RETIRED, Deed.READMIT): Stage.QUARANTINE,
}


def after(stage: Stage, deed: Deed) -> Stage:
    """Where a deed leads.

    Raises:
        NotPossible: the table has no such transition.
    """
    found = TRANSITIONS.get((stage, deed))
    if found is None:
        able = possible(stage)
        raise NotPossible(f"{deed} of a device in {stage}", stage=str(stage), possible=able)
    return found


def possible(stage: Stage) -> list[str]:
    """The deeds that a stage allows."""
    return [str(deed) for at, deed in TRANSITIONS if at is stage]
