"""Which class drives which component."""

from collections.abc import Callable, Mapping
from typing import Any

from devices.domain.conventions.homeassistant.abbreviations import COMPONENTS
from devices.domain.conventions.homeassistant.climate import Climate
from devices.domain.conventions.homeassistant.entity import Entity, Identity
from devices.domain.conventions.homeassistant.fields import Fields
from devices.domain.conventions.homeassistant.lamp_basic import BasicLamp
from devices.domain.conventions.homeassistant.lamp_json import JsonLamp
from devices.domain.conventions.homeassistant.lamp_template import TemplateLamp
from devices.domain.conventions.homeassistant.movers import Cover, Fan, Lock
from devices.domain.conventions.homeassistant.readings import (
    BinarySensor,
    Camera,
    EventEntity,
    Sensor,
)
from devices.domain.conventions.homeassistant.switches import (
    Button,
    NumberEntity,
    Scene,
    Select,
    Siren,
    Switch,
    TextEntity,
    Update,
)

_LAMPS: Mapping[str, type[Entity]] = {
    "basic": BasicLamp,
    "json": JsonLamp,
    "template": TemplateLamp,
}


def _lamp(fields: Fields, identity: Identity) -> Entity:
    return _LAMPS[fields.choice("schema", tuple(_LAMPS), "basic")](fields, identity)


_DRIVEN: Mapping[str, Callable[[Fields, Identity], Entity]] = {
    "binary_sensor": BinarySensor,
    "button": Button,
    "camera": Camera,
    "climate": Climate,
    "cover": Cover,
    "event": EventEntity,
    "fan": Fan,
    "light": _lamp,
    "lock": Lock,
    "number": NumberEntity,
    "scene": Scene,
    "select": Select,
    "sensor": Sensor,
    "siren": Siren,
    "switch": Switch,
    "text": TextEntity,
    "update": Update,
}
KINDS: Mapping[str, Callable[[Fields, Identity], Entity]] = {
    component: _DRIVEN.get(component, Entity) for component in sorted(COMPONENTS)
}


def entity(config: Mapping[str, Any], path: str, identity: Identity) -> Entity:
    """Compile one component.

    Raises:
        BadDiscovery: naming the field and what is wrong with it.
    """
    return KINDS[identity.platform](Fields(config, path), identity)
