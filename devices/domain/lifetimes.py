"""How long a command may wait before it must not be carried out any more. Pure.

A person looks at the room and expects it to obey at once; the base's own scenes serve a time of
day, so they wait for a device that is away for as long as they still make sense.
"""

from collections.abc import Mapping

from base_ops.core.actors import Actor
from devices.domain.scenes import Scene

COMMAND_S = 10.0
HOUSE_LIGHT_S = 30.0
EXTENSION_S = 30.0  # a later end of a stream
_PERSON_SCENE_S = 30.0  # a scene talks to a room full of devices
_SYSTEM_SCENE_S: Mapping[Scene, float] = {
    Scene.PREPARE: 120,  # later, the ready light has long turned red
    Scene.WRAP: 600,
    Scene.STANDBY: 600,
    Scene.OFF: 600,
}


def scene_s(scene: Scene, actor: Actor) -> float:
    """The lifetime of the commands of a scene, in seconds."""
    if actor.kind == "system":
        return _SYSTEM_SCENE_S.get(scene, _PERSON_SCENE_S)
    return _PERSON_SCENE_S
