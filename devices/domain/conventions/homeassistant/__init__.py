"""Home Assistant MQTT discovery: what thousands of devices speak already."""

from devices.domain.conventions.convention import Announcement, Documents
from devices.domain.conventions.homeassistant import discovery
from devices.domain.conventions.homeassistant.binding import HomeAssistantDevice


class HomeAssistant:
    """See `convention.Convention`."""

    name = "homeassistant"
    roots = ("homeassistant/#",)

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read an announcement below `homeassistant/`."""
        return discovery.read("homeassistant", topic, payload)

    def bind(self, documents: Documents, device: str) -> HomeAssistantDevice:
        """Compile the documents of one device."""
        return HomeAssistantDevice(documents, device)
