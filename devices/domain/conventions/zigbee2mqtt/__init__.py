"""Zigbee2MQTT: a whole Zigbee network behind one bridge, described by what each device exposes.

Announced by <base>/bridge/devices (all devices at once) and <base>/bridge/groups. A device speaks
on <base>/<name> (its whole state), is told on <base>/<name>/set, and is there when both
<base>/bridge/state and <base>/<name>/availability say so (plain "online", or {"state": "online"}).
It never answers a command: its next state shows the effect, and a line of <base>/bridge/logging
that it failed.
"""

from devices.domain.conventions.convention import Announcement, Binding, Documents
from devices.domain.conventions.reading import word
from devices.domain.conventions.refusal import BadDiscovery
from devices.domain.conventions.zigbee2mqtt import discovery
from devices.domain.conventions.zigbee2mqtt.binding import Zigbee
from devices.domain.conventions.zigbee2mqtt.exposes import Exposed, read


class Zigbee2Mqtt:
    """Networks under their base topics."""

    name = "zigbee2mqtt"

    def __init__(self, bases: tuple[str, ...] = ("zigbee2mqtt",)) -> None:
        self.roots = tuple(
            f"{base}/bridge/{leaf}" for base in bases for leaf in ("devices", "groups")
        )

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read a directory of devices or groups.

        Raises:
            CodecError: it is none.
        """
        del retained  # a directory is always kept by the broker
        return discovery.discover(topic, payload)

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile what the device exposes.

        Raises:
            BadDiscovery: with the path of what makes no sense.
        """
        if len(documents) != 1:
            raise BadDiscovery("", "one network announces it, not several")
        (document,) = documents.values()
        base, name = (
            word(document.get("base"), "base"),
            word(document.get("name"), "friendly_name"),
        )
        exposed: Exposed = read(document.get("exposes"))
        return Zigbee(device, base=base, name=name, exposed=exposed)
