"""The foreign conventions that we speak, by name."""

from collections.abc import Mapping

from devices.domain.conventions.convention import Convention
from devices.domain.conventions.homeassistant import HomeAssistant

CONVENTIONS: Mapping[str, Convention] = {one.name: one for one in (HomeAssistant(),)}
