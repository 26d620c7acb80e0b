"""`op: move`: a camera drives as long as it is told to, and stops by itself. Pure."""

from collections.abc import Mapping
from typing import Any

from base_ops.core.errors import FieldFault
from devices.domain.capabilities import BadState, NotControllable, Number, Rule, table

DEADMAN_MS = 1000  # the longest drive on one order; whoever holds the stick sends the next
_AXES = ("pan", "tilt", "zoom")
_RULES: Mapping[str, Rule] = {
    **{axis: Number(-1, 1) for axis in _AXES},
    "deadman_ms": Number(1, DEADMAN_MS, "ms", whole=True),
}


def check(state: Mapping[str, Any], *, kind: str, model: str = "") -> None:
    """Refuse a drive that the device cannot make: speeds -1…1 of the axes it has.

    Raises:
        NotControllable: it has no axes.
        BadState: empty, or with every faulty field and its reason.
    """
    able = table(kind=kind, model=model)
    axes = [axis for axis in _AXES if axis in able]
    if not axes:
        raise NotControllable(f"{model or kind} does not move")
    if not any(axis in state for axis in axes):
        raise BadState("a move names at least one of its axes")
    known = {key: rule for key, rule in _RULES.items() if key not in _AXES or key in axes}
    faults = [fault for key in state if (fault := _fault(key, state[key], known))]
    if faults:
        raise BadState(fields=faults)


def _fault(key: str, value: object, known: Mapping[str, Rule]) -> FieldFault | None:
    if key not in known:
        listed = ", ".join(known)
        return FieldFault(key, f"没有此项;可用:{listed}", f"not known; it has {listed}")
    reason = known[key].fault(value)
    return FieldFault(key, *reason) if reason else None
