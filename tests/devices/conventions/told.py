"""A bound device for tests: what it hears, what it is told, what it remembers."""

import json
from datetime import UTC, datetime
from typing import Any

from devices.domain import messages
from devices.domain.conventions.convention import Announcement, Heard, Memory
from devices.domain.conventions.homeassistant import HomeAssistant
from devices.domain.conventions.homeassistant.binding import HomeAssistantDevice

AT = 1_780_000_000_000
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def announce(component: str, config: dict[str, Any], place: str = "x") -> Announcement:
    topic = f"homeassistant/{component}/{place}/config"
    found = HomeAssistant().discover(topic, json.dumps(config).encode(), retained=True)
    assert found is not None
    return found


class Told:
    """A bound device and what it remembers."""

    def __init__(self, *announcements: Announcement) -> None:
        documents = {a.topic: a.devices[0].document for a in announcements}
        self.binding = HomeAssistantDevice(documents, "L1")
        self.memory: Memory = self.binding.begin(AT)
        self.now_ms = AT

    def hears(self, topic: str, payload: str, *, retained: bool = False) -> Heard:
        heard = self.binding.heard(
            self.memory, topic, payload.encode(), retained=retained, now_ms=self.now_ms
        )
        self.memory = json.loads(json.dumps(heard.memory))
        return heard

    def state(self, topic: str, payload: str) -> Any:
        """The state that a message leads to."""
        states = [m for m in self.hears(topic, payload).said if isinstance(m, messages.State)]
        return dict(states[-1].state)

    def told(self, **state: Any) -> list[tuple[str, str]]:
        """The messages of a command; a `__` in a name stands for a dot."""
        wanted = {key.replace("__", "."): value for key, value in state.items()}
        outs = self.binding.encode(self.memory, order(wanted), self.now_ms)
        self.memory = self.binding.sent(self.memory, order(wanted), self.now_ms).memory
        return [(out.topic, out.payload.decode()) for out in outs]

    def follows(self, **state: Any) -> bool | None:
        return self.binding.observed(self.memory, order(state))


def order(state: dict[str, Any], if_v: int | None = None) -> messages.Outgoing:
    return messages.Outgoing("c1", "L1", "set", state, LATER, if_v, "system", None)


LAMP = {
    "schema": "json",
    "name": "Key",
    "unique_id": "k1",
    "stat_t": "k/st",
    "cmd_t": "k/set",
    "avty_t": "k/lwt",
    "brightness": True,
    "brightness_scale": 254,
    "supported_color_modes": ["color_temp", "rgb"],
    "effect": True,
    "effect_list": ["strobe"],
}


def lamp() -> Told:
    return Told(announce("light", LAMP))
