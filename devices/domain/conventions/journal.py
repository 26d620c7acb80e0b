"""The memory that brands share: presence, session, version and the whole reported state.

What holds for all of them:

- A session begins when a device comes after it was away, or is heard of for the first time. Its
  state of an earlier life is forgotten then: it may have been moved, reset or replaced meanwhile.
- While it is known to be away, what arrives about it is remembered and passed on as what was
  (`retained`): it is no sign of life.
- What the broker kept, of a device whose presence nobody knows, waits until it is known.
- Devices report in their own steps (mireds, 0-254), so 5600 K asked comes back as 5587 K. A value
  within one step of what was asked last is reported as what was asked: it was obeyed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from base_ops.core.errors import FieldFault
from devices.domain import messages
from devices.domain.capabilities import BadState
from devices.domain.conventions.convention import Fault, Heard, Memory
from devices.domain.conventions.refusal import Reason

Close = Callable[[str, object, object], bool]  # key, asked, reported → whether that is obeyed

MAX_KEYS = 128
LONG_AGO_MS = 60_000  # a device that was silent for so long is stale


def begin() -> dict[str, Any]:
    """The memory of a device that we know nothing of yet."""
    return {"online": None, "vouched": False, "session": "", "lives": 0, "v": 0, "state": {}}


def same(_key: str, asked: object, reported: object) -> bool:
    """Obeyed only when exactly that is reported."""
    return type(asked) is type(reported) and asked == reported


class Journal:
    """One call's changes to a memory, and what we say of them; the memory given stays."""

    def __init__(
        self, device: str, memory: Memory, now_ms: int, *, retained: bool = False
    ) -> None:
        self.device, self.now_ms, self.retained = device, now_ms, retained
        self.memory: dict[str, Any] = {**memory}
        self.said: list[messages.Incoming] = []
        self.faults: list[Fault] = []

    @property
    def state(self) -> Mapping[str, Any]:
        """What the device last reported, all of it."""
        state: Mapping[str, Any] = self.memory["state"]
        return state

    def close(self) -> Heard:
        """What to hand back."""
        return Heard(self.memory, tuple(self.said), tuple(self.faults))

    def came(self, *, vouched: bool) -> None:
        """It is there; `vouched`: by a topic that its last will would have changed."""
        memory = self.memory
        known = memory["online"] is True
        self._begin()
        memory["online"], memory["vouched"] = True, vouched or (known and memory["vouched"])
        if vouched or not known:
            self._status(online=True)
        if memory.pop("held", False) and memory["state"]:
            self._state(retained=self.retained)

    def believed(self) -> None:
        """Its hub is there and nobody has heard it: as if it had last spoken too long ago.

        The same life goes on: it was the hub that was away.
        """
        if self.memory["online"] is True:
            return
        if not self.memory["session"]:
            self._begin()
        self.memory["online"], self.memory["vouched"] = True, False
        silent_ms = self.now_ms - LONG_AGO_MS
        self.said.append(
            messages.Status(self.device, True, self.memory["session"], silent_ms, retained=True)
        )

    def _begin(self) -> None:
        """A session, unless the one that it had goes on."""
        memory = self.memory
        if not memory["session"]:
            waiting = memory["state"]  # what the broker kept, and nobody contradicts
            self.reborn()
            memory["state"], memory["v"] = waiting, 1 if waiting else 0
            memory["held"] = bool(waiting)
        elif memory["online"] is False:
            self.reborn()

    def went(self) -> None:
        """It is away."""
        if not self.memory["session"]:
            self.reborn()
        self.memory["online"], self.memory["vouched"] = False, False
        self._status(online=False)

    def unknown(self) -> None:
        """Nobody knows any more whether it is there."""
        self.memory["online"], self.memory["vouched"] = None, False

    def reborn(self) -> None:
        """A new session, of which nothing is known yet."""
        memory = self.memory
        memory["lives"] += 1
        memory["session"] = f"{self.now_ms}-{memory['lives']}"
        memory["v"], memory["state"] = 0, {}
        memory.pop("held", None)

    def report(self, said: Mapping[str, Any], *, near: Close = same) -> None:
        """It reports this; None forgets a key."""
        self.alive()
        before = self.memory["state"]
        asked = self.memory.get("asked", {})
        after = dict(before)
        for key, value in said.items():
            if value is None:
                after.pop(key, None)
            else:
                after[key] = asked[key] if key in asked and near(key, asked[key], value) else value
        if len(after) > MAX_KEYS:
            self.fault("state", "wrong-shape", f"more than {MAX_KEYS} keys")
            return
        if after != before:
            self.memory["state"] = after
            self.memory["v"] += 1
        if self.memory["online"] is None:
            self.memory["held"] = True
        elif after:
            self._state(retained=self.retained or self.memory["online"] is False)

    def alive(self) -> None:
        """It spoke just now: a sign of life, unless the broker kept it or it is known as away."""
        if self.memory["online"] is None and not self.retained:
            self.came(vouched=False)

    def measured(self, metrics: Mapping[str, float]) -> None:
        """It measured this now; what the broker kept was measured nobody knows when."""
        if metrics and not self.retained:
            self.said.append(messages.Tele(self.device, self.now_ms, dict(metrics)))

    def happened(self, name: str, data: Mapping[str, Any]) -> None:
        """Something happened just now."""
        if not self.retained:
            self.said.append(messages.Event(self.device, self.now_ms, name[:64], dict(data)))

    def answered(self, command_id: str, st: messages.AckStatus, code: str = "") -> None:
        """It answered a command."""
        if not self.retained:
            self.said.append(messages.Ack(self.device, command_id, st, code[:64]))

    def fault(self, where: str, reason: Reason, why: str) -> None:
        """A part of the message is refused, the rest stands."""
        self.faults.append(Fault(where[:64], reason, why))

    def _status(self, *, online: bool) -> None:
        self.said.append(
            messages.Status(
                self.device, online, self.memory["session"], self.now_ms, self.retained
            )
        )

    def _state(self, *, retained: bool) -> None:
        memory = self.memory
        self.said.append(
            messages.State(
                self.device,
                memory["v"],
                memory["session"],
                self.now_ms,
                dict(memory["state"]),
                retained=retained,
            )
        )


def asked(
    device: str, memory: Memory, wanted: Mapping[str, Any], now_ms: int, *, near: Close
) -> Journal:
    """The journal after a command went out: what is reported within a step of it is obeyed."""
    journal = Journal(device, memory, now_ms)
    journal.memory["asked"] = {**memory.get("asked", {}), **wanted}
    snapped = {
        key: value
        for key, value in wanted.items()
        if key in journal.state
        and journal.state[key] != value
        and near(key, value, journal.state[key])
    }
    if snapped and memory["online"] is True:
        journal.report(snapped)
    return journal


def vouched(device: str, memory: Memory, now_ms: int) -> messages.Status | None:
    """The status that its availability topic still gives, or None."""
    if memory["online"] is not True or not memory["vouched"]:
        return None
    return messages.Status(device, online=True, session=memory["session"], ts=now_ms)


def check_version(memory: Memory, command: messages.Outgoing) -> None:
    """Refuse a command that was meant for another state than the reported one.

    Raises:
        BadState: its `if_v` is not the version of the state.
    """
    if command.if_v is not None and command.if_v != memory["v"]:
        raise BadState(
            fields=[FieldFault("if_v", "状态已变化", f"the state is now at version {memory['v']}")]
        )
