"""Whether an entity is there, by what its availability topics said last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.templates import Payload, Template

MODES = ("all", "any", "latest")


@dataclass(frozen=True, slots=True)
class Source:
    """One topic, and what it says when the entity is there or not."""

    topic: str
    online: str
    offline: str
    template: Template | None

    @property
    def key(self) -> str:
        """Names it in the memory; entities of a device share what is alike."""
        source = self.template.source if self.template else ""
        return "\n".join((self.topic, self.online, self.offline, source))

    def reads(self, payload: Payload, *, now_ms: int) -> bool | None:
        """Whether it is there; None when the payload says neither. Raises BadTemplate."""
        said = self.template.reads(payload, now_ms=now_ms) if self.template else payload.value
        return True if said == self.online else False if said == self.offline else None


@dataclass(frozen=True, slots=True)
class Availability:
    """All sources of one entity; none: it is taken to be there."""

    sources: tuple[Source, ...] = ()
    mode: str = "latest"

    def holds(self, said: Mapping[str, Any]) -> bool:
        """Whether the entity is there; `said` maps a source's key to (there?, how recent)."""
        known = [said[s.key] for s in self.sources if s.key in said]
        if self.mode == "all":
            return len(known) == len(self.sources) and all(there for there, _ in known)
        if self.mode == "any":
            return any(there for there, _ in known) or not self.sources
        latest = max(known, key=lambda entry: int(entry[1]), default=(not self.sources, 0))
        return bool(latest[0])


def read(fields: Fields) -> Availability:
    """The availability that a document describes.

    Raises:
        BadDiscovery: both forms at once, or a bad field.
    """
    mode = fields.choice("availability_mode", MODES, "latest")
    if fields.has("availability"):
        if fields.has("availability_topic"):
            raise fields.refuse("availability", "cannot be used together with availability_topic")
        sources = tuple(
            _source(one, "topic", "value_template") for one in fields.objects("availability")
        )
        return Availability(sources, mode)
    if fields.has("availability_topic"):
        return Availability((_source(fields, "availability_topic", "availability_template"),))
    return Availability()


def _source(fields: Fields, topic: str, template: str) -> Source:
    if not fields.has(topic):
        raise fields.refuse(topic, "is required")
    return Source(
        fields.listens(topic),
        fields.text("payload_available", "online"),
        fields.text("payload_not_available", "offline"),
        fields.template(template),
    )
