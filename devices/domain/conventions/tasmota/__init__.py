"""Tasmota: relays, lights and meters that announce themselves on tasmota/discovery/<mac>/….

`config` says what the device is and how its topics are built: the full topic is a pattern of
%prefix%, %topic%, %hostname% and %id%; the three prefixes are those of commands, results and
telemetry. `sensors` lists its sensors. It is there when its last-will topic LWT says the
configured word. It never answers with an id: what it carries out comes back on RESULT and STATE.
"""

from devices.domain.conventions.convention import Announcement, Binding, Documents
from devices.domain.conventions.refusal import BadDiscovery
from devices.domain.conventions.tasmota import discovery
from devices.domain.conventions.tasmota.binding import Tasmota as _Binding
from devices.domain.conventions.tasmota.config import read


class Tasmota:
    """Devices under one discovery prefix."""

    name = "tasmota"

    def __init__(self, prefix: str = "tasmota/discovery") -> None:
        self._prefix = prefix
        self.roots: tuple[str, ...] = (f"{prefix}/#",)

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read what one device announces.

        Raises:
            CodecError: it makes no sense.
        """
        del retained  # an announcement is always kept by the broker
        return discovery.discover(self._prefix, topic, payload)

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile the configuration.

        Raises:
            BadDiscovery: with the key that makes no sense.
        """
        configs = [doc for topic, doc in documents.items() if topic.endswith("/config")]
        if len(configs) != 1:
            raise BadDiscovery("", "no configuration was announced yet")
        return _Binding(device, read(configs[0]))
