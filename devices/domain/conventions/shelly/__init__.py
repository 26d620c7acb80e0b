"""Shelly: the second generation and later (RPC over MQTT), and the first (plain topics).

Neither announces itself whole: each component that speaks announces that it exists. So a device is
known as soon as it has said its status once, and never has a component that it did not show.
"""

from devices.domain.conventions.convention import Announcement, Binding, Documents
from devices.domain.conventions.refusal import BadDiscovery
from devices.domain.conventions.shelly import gen1, gen2


class Shelly:
    """Devices of all generations; a device with a longer topic prefix needs its own filters."""

    name = "shelly"

    def __init__(
        self, roots: tuple[str, ...] = ("+/status/+", "+/events/rpc", "shellies/#")
    ) -> None:
        self.roots = roots

    def discover(self, topic: str, payload: bytes, *, retained: bool) -> Announcement | None:
        """Read which components a message shows.

        Raises:
            CodecError: it should show one and makes no sense.
        """
        del retained
        if topic.startswith(gen1.ROOT):
            return gen1.discover(topic, payload)
        return gen2.discover(topic, payload)

    def bind(self, documents: Documents, device: str) -> Binding:
        """Compile the components shown so far.

        Raises:
            BadDiscovery: they contradict each other.
        """
        generations = {document.get("gen") for document in documents.values()}
        if generations == {1}:
            return gen1.bind(documents, device)
        if generations == {2}:
            return gen2.bind(documents, device)
        raise BadDiscovery("gen", "must be 1 or 2, the same everywhere")
