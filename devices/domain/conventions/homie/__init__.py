"""Homie 5: devices that describe themselves to the last property.

<root>/5/<device>/$state              init, ready, disconnected, sleeping, lost; empty: removed
<root>/5/<device>/$description        nodes and their properties, as JSON
<root>/5/<device>/$alert/<id>         something is wrong
<root>/5/<device>/<node>/<property>   a value; below it $target (where it is going) and set

All but momentary properties are kept by the broker. A child is there only while its root is.
"""

from devices.domain.conventions.convention import Announcement, Binding, Documents
from devices.domain.conventions.homie import description
from devices.domain.conventions.homie.binding import Homie as _Binding
from devices.domain.conventions.refusal import BadDiscovery


class Homie:
    """Devices under one root."""

    name = "homie"

    def __init__(self, root: str = "homie") -> None:
        self._root = f"{root}/5/"
        self.roots = (f"{root}/5/+/$description", f"{root}/5/+/$state")

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read a description; an empty $state takes it back.

        Raises:
            CodecError: it makes no sense.
        """
        del retained
        return description.discover(self._root, topic, payload)

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile the description.

        Raises:
            BadDiscovery: with the path of what makes no sense.
        """
        if len(documents) != 1:
            raise BadDiscovery("", "a device has one description")
        ((topic, document),) = documents.items()
        return _Binding(device, description.read(topic.removesuffix("/$description"), document))
