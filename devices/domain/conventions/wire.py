"""What every convention makes of a command."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Published:
    """One message to a device: never retained, dropped by the broker at `expires_at`.

    Our own devices get QoS 1; a foreign one may ask for another. Only our own are told where to
    answer.
    """

    topic: str
    payload: bytes
    expires_at: datetime
    response_topic: str = ""
    correlation: bytes = b""
    qos: Literal[0, 1, 2] = 1

    def lifetime_s(self, now: datetime) -> int:
        """Whole seconds that the broker may keep it, 0 when it is too late to send.

        Rounded up: MQTT knows no fractions, and the device checks the exact instant itself.
        """
        left = (self.expires_at - now).total_seconds()
        return 0 if left <= 0 else int(left) + 1
