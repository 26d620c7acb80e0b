"""The announcements of a Tasmota device."""

import re

from devices.domain.conventions.convention import About, Announced, Announcement
from devices.domain.conventions.reading import json_object
from devices.domain.conventions.refusal import BadDiscovery
from devices.domain.conventions.tasmota.config import Config, read

_LEAF = re.compile(r"([A-Z0-9_-]{1,32})/(config|sensors)", re.ASCII)


def discover(prefix: str, topic: str, payload: bytes) -> Announcement | None:
    """Read one announcement; None when the topic is none.

    Raises:
        CodecError: not JSON, or BadDiscovery with the key that makes no sense.
    """
    found = _LEAF.fullmatch(topic.removeprefix(f"{prefix}/"))
    if found is None:
        return None
    mac, leaf = found.groups()
    if not payload:
        return Announcement(topic)
    document = json_object(payload)
    if leaf == "sensors":
        if document.get("ver") != 1 or not isinstance(document.get("sn"), dict):
            raise BadDiscovery("sn", "must be an object of version 1")
        return Announcement(topic, (Announced(mac, document, About(serial=mac)),))
    config = read(document)
    if config.mac != mac:
        raise BadDiscovery("mac", f"{config.mac!r} announces itself as {mac}")
    return Announcement(topic, (Announced(mac, document, _about(config)),))


def _about(config: Config) -> About:
    kind = "light" if config.lights or config.is_light else "power_outlet"
    return About(
        kind=kind if config.lights or config.relays else "",
        name=config.name,
        manufacturer="Tasmota",
        model=config.model,
        firmware=config.firmware,
        serial=config.mac,
    )
