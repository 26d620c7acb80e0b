"""One Tasmota device."""

import re
from collections.abc import Mapping
from typing import Any

from devices.domain import messages
from devices.domain.capabilities import Choice, Flag, Rule
from devices.domain.conventions import lamp
from devices.domain.conventions.brand import Brand, Told
from devices.domain.conventions.convention import Memory
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import json_object, text
from devices.domain.conventions.refusal import CodecError
from devices.domain.conventions.tasmota import lights
from devices.domain.conventions.tasmota.config import Config
from devices.domain.conventions.tasmota.sensors import metrics

FAN = ("off", "low", "mid", "high")
_RESULT = re.compile(
    r"RESULT|POWER\d*|STATUS1[01]|DIMMER\d*|CHANNEL\d*|[A-Z]+COLOR\d*|COLOR\d*|CT|WHITE"
)
_POWER = re.compile(r"POWER\d{0,2}", re.ASCII)
_INPUT = re.compile(r"(Button|Switch)(\d{1,2})", re.ASCII)


class Tasmota(Brand):
    """Hears RESULT, STATE, SENSOR and LWT; tells Power<n>, or a Backlog for lights."""

    def __init__(self, device: str, config: Config) -> None:
        self._config = config
        table: dict[str, Rule] = {f"{prefix}power": Flag() for prefix in config.relays}
        for light in config.lights:
            table |= lights.table(light, config)
        if config.fan:
            table["fan"] = Choice(FAN)
        super().__init__(
            device,
            topics=frozenset(
                {
                    f"{config.stat}+",
                    *(f"{config.tele}{leaf}" for leaf in ("LWT", "STATE", "SENSOR")),
                }
            ),
            via=f"{config.tele}LWT",
            table=table,
            reads=frozenset(f"switch{at}" for at in config.switches),
        )

    def _hear(self, journal: Journal, topic: str, payload: bytes) -> None:
        stat = topic.removeprefix(self._config.stat)
        if topic == self._via:
            self._will(journal, text(payload))
        elif topic == f"{self._config.tele}STATE":
            self._result(journal, json_object(payload))
        elif topic == f"{self._config.tele}SENSOR":
            self._sensor(journal, json_object(payload))
        elif stat == topic or "/" in stat:
            raise CodecError("unknown-topic")
        elif not _RESULT.fullmatch(stat):
            journal.alive()  # a log line or a status: it speaks, of nothing that we keep
        elif _POWER.fullmatch(stat) and not payload.startswith(b"{"):
            self._result(journal, {stat: text(payload)})
        else:
            self._result(journal, json_object(payload))

    def _will(self, journal: Journal, said: str) -> None:
        if said == self._config.online:
            journal.came(vouched=True)
        elif said == self._config.offline:
            journal.went()
        else:
            raise CodecError("bad-value")

    def _result(self, journal: Journal, said: Mapping[str, Any]) -> None:
        if isinstance(status := said.get("StatusSTS"), dict):
            said = status
        elif isinstance(status := said.get("StatusSNS"), dict):
            self._sensor(journal, status)
            return
        report: dict[str, Any] = {}
        for prefix, index in self._config.relays.items():
            report |= self._power(journal, prefix, index, said)
        for light in self._config.lights:
            report |= self._power(journal, light.prefix, light.index, said)
            report |= lights.reported(journal, light, said)
        if self._config.fan and "FanSpeed" in said:
            report |= _fan(journal, said["FanSpeed"])
        report |= self._inputs(journal, said)
        self._report(journal, report)
        journal.measured(metrics(said))

    def _report(self, journal: Journal, report: Mapping[str, Any]) -> None:
        if report:
            journal.report(report, near=self._near)
        else:
            journal.alive()

    def _power(
        self, journal: Journal, prefix: str, index: int, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        """POWER<n>; the first may go without its number."""
        value = said.get("POWER", said.get("POWER1")) if index == 1 else said.get(f"POWER{index}")
        if value is None:
            return {}
        if value not in (self._config.on, self._config.off):
            journal.fault(f"POWER{index}", "bad-value", "neither on nor off")
            return {}
        return {f"{prefix}power": value == self._config.on}

    def _inputs(self, journal: Journal, said: Mapping[str, Any]) -> dict[str, Any]:
        """A switch changed (state), a button was pressed (event)."""
        report: dict[str, Any] = {}
        for key, value in said.items():
            if not (found := _INPUT.fullmatch(key)):
                continue
            action = value.get("Action") if isinstance(value, dict) else value
            if not isinstance(action, str) or not action:
                continue
            if found[1] == "Button":
                data = {"button": int(found[2]), "action": action[:32]}
                journal.happened("button", data)
            elif action in ("ON", "OFF") and int(found[2]) in self._config.switches:
                report[f"switch{found[2]}"] = action == "ON"
        return report

    def _sensor(self, journal: Journal, said: Mapping[str, Any]) -> None:
        self._report(journal, self._inputs(journal, said))
        journal.measured(metrics(said))

    def _tell(self, memory: Memory, command: messages.Outgoing) -> list[Told]:
        config, told = self._config, []
        for prefix, index in config.relays.items():
            if (power := command.state.get(f"{prefix}power")) is not None:
                told.append(Told(f"{config.command}Power{index}", self._word(on=power), 0))
        for light in config.lights:
            parts = {light.prefix + part for part in lamp.PARTS}
            if own := {k: v for k, v in command.state.items() if k in parts}:
                steps = lights.steps(light, config, own, memory["state"])
                told.append(Told(f"{config.command}Backlog", steps, 0))
        if (fan := command.state.get("fan")) is not None:
            told.append(Told(f"{config.command}FanSpeed", str(FAN.index(fan)), 0))
        return told

    def _word(self, *, on: bool) -> str:
        return self._config.on if on else self._config.off


def _fan(journal: Journal, value: object) -> dict[str, Any]:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(FAN):
        return {"fan": FAN[value]}
    journal.fault("FanSpeed", "bad-value", "must be 0 to 3")
    return {}
