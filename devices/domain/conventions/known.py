"""The foreign conventions that we speak, by name."""

from collections.abc import Mapping

from devices.domain.conventions.convention import Convention
from devices.domain.conventions.homeassistant import HomeAssistant
from devices.domain.conventions.homie import Homie
from devices.domain.conventions.shelly import Shelly
from devices.domain.conventions.tasmota import Tasmota
from devices.domain.conventions.wled import Wled
from devices.domain.conventions.zigbee2mqtt import Zigbee2Mqtt

_SPOKEN: tuple[Convention, ...] = (
    HomeAssistant(),
    Homie(),
    Shelly(),
    Tasmota(),
    Wled(),
    Zigbee2Mqtt(),
)
CONVENTIONS: Mapping[str, Convention] = {one.name: one for one in _SPOKEN}
