"""A working device of each convention: how it is announced, what it says, what that means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.domain.conventions.convention import Convention
from devices.domain.conventions.homie import Homie
from devices.domain.conventions.shelly import Shelly
from devices.domain.conventions.tasmota import Tasmota
from devices.domain.conventions.wled import Wled
from devices.domain.conventions.zigbee2mqtt import Zigbee2Mqtt
from tests.devices.natives import networks
from tests.devices.natives.vectors import one

Message = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One device; after `announced` and `said`, its state is `state`."""

    convention: Convention
    key: str
    announced: Sequence[Message]
    said: Sequence[Message]
    state: Mapping[str, Any]

    @property
    def messages(self) -> list[tuple[str, bytes]]:
        """All of it, to be broken."""
        return [(topic, payload.encode()) for topic, payload in (*self.announced, *self.said)]


def tasmota(**changes: Any) -> Message:
    """The announcement of a Tasmota device: by default a light of five channels."""
    document = one("tasmota", "tasmota_light_rgbw")["discovery_payload"]
    document |= {"lt_st": 5, "ft": "%prefix%/%topic%/"} | changes
    return f"tasmota/discovery/{document['mac']}/config", json.dumps(document)


HOMIE = {
    "homie": "5.0",
    "name": "Key light",
    "version": 3,
    "type": "studio-light",
    "nodes": {
        "light": {
            "properties": {
                "power": {"datatype": "boolean", "settable": True},
                "brightness": {"datatype": "integer", "format": "0:254", "settable": True},
                "color": {"datatype": "color", "format": "hsv,rgb", "settable": True},
                "color-temperature": {
                    "datatype": "integer",
                    "format": "153:500",
                    "unit": "mired",
                    "settable": True,
                },
                "mode": {"datatype": "enum", "format": "solid,party", "settable": True},
                "watts": {"datatype": "float", "unit": "W"},
                "angle": {"datatype": "float", "format": "-90:90:2.5", "settable": True},
                "flash": {"datatype": "boolean", "settable": True, "retained": False},
            }
        }
    },
}
_H = "homie/5/key-light"
_VS = (
    '<?xml version="1.0" ?><vs><ac>128</ac><cl>255</cl><cl>160</cl><cl>0</cl><cs>0</cs><cs>0</cs>'
    "<cs>0</cs><ns>0</ns><nr>1</nr><nl>0</nl><nf>1</nf><nd>60</nd><nt>0</nt><fx>9</fx><sx>128</sx>"
    "<ix>128</ix><fp>0</fp><wv>-1</wv><ws>0</ws><ps>3</ps><cy>0</cy><ds>Stage & <b>bar</ds>"
    "<ss>0</ss></vs>"
)
_LIGHT = {"id": 0, "source": "init", "output": True, "brightness": 40, "rgb": [255, 0, 0]}

SAMPLES: Mapping[str, Sample] = {
    "tasmota": Sample(
        Tasmota(),
        "00000049A3BC",
        [tasmota()],
        [
            ("tele/tasmota_49A3BC/LWT", "Online"),
            (
                "tele/tasmota_49A3BC/STATE",
                '{"POWER":"ON","Dimmer":50,"HSBColor":"30,100,50","White":0,"CT":153,"Scheme":0,'
                '"Wifi":{"Signal":-61}}',
            ),
            (
                "tele/tasmota_49A3BC/SENSOR",
                '{"ENERGY":{"Total":1.5,"Power":61,"Voltage":[230,231]},"AM2301":{"Temperature":21.5},'
                '"TempUnit":"C"}',
            ),
            ("stat/tasmota_49A3BC/RESULT", '{"Dimmer":60,"POWER":"ON"}'),
            ("stat/tasmota_49A3BC/POWER", "ON"),
        ],
        {
            "power": True,
            "brightness": 60,
            "rgb": [255, 128, 0],
            "mode": "rgb",
            "effect": "Solid",
        },
    ),
    "zigbee2mqtt": Sample(
        Zigbee2Mqtt(),
        networks.key_of("bulb_color"),
        [("zigbee2mqtt/bridge/devices", networks.devices())],
        [
            ("zigbee2mqtt/bridge/state", "online"),
            ("zigbee2mqtt/bulb_color/availability", '{"state":"online"}'),
            (
                "zigbee2mqtt/bulb_color",
                '{"state":"ON","brightness":127,"color_mode":"color_temp","color_temp":250,'
                '"color":{"x":0.38,"y":0.37},"linkquality":80,"effect":null}',
            ),
            ("zigbee2mqtt/bridge/logging", '{"level":"error","message":"Publish \'set\' x"}'),
        ],
        {"power": True, "brightness": 50, "mode": "cct", "cct": 4000},
    ),
    "shelly": Sample(
        Shelly(),
        "shellyplusrgbw-a1",
        [("shellyplusrgbw-a1/status/rgb:0", json.dumps(_LIGHT))],
        [
            ("shellyplusrgbw-a1/online", "true"),
            ("shellyplusrgbw-a1/status/rgb:0", json.dumps(_LIGHT)),
            (
                "shellyplusrgbw-a1/events/rpc",
                '{"src":"shellyplusrgbw-a1","dst":"x","method":"NotifyStatus","params":{"ts":1.0,'
                '"rgb:0":{"id":0,"brightness":70,"apower":12.5}}}',
            ),
            (
                "wb-bridge/rpc",
                '{"id":"c","src":"shellyplusrgbw-a1","dst":"wb-bridge","result":{}}',
            ),
        ],
        {"power": True, "brightness": 70, "rgb": [255, 0, 0], "mode": "rgb"},
    ),
    "shelly1": Sample(
        Shelly(),
        "shellyrgbw2-77",
        [("shellies/shellyrgbw2-77/color/0", "on")],
        [
            ("shellies/shellyrgbw2-77/online", "true"),
            (
                "shellies/shellyrgbw2-77/color/0/status",
                '{"ison":true,"mode":"color","red":1,"green":2,"blue":255,"white":0,"gain":30}',
            ),
            ("shellies/shellyrgbw2-77/color/0/power", "4.25"),
            ("shellies/shellyrgbw2-77/input_event/0", '{"event":"S","event_cnt":2}'),
        ],
        {"power": True, "brightness": 30, "rgb": [1, 2, 255], "mode": "rgb"},
    ),
    "wled": Sample(
        Wled(),
        "wled/deadbeef",
        [("wled/deadbeef/v", _VS)],
        [
            ("wled/deadbeef/g", "200"),
            ("wled/deadbeef/c", "#0000FF"),
            ("wled/deadbeef/status", "online"),
            ("wled/deadbeef/v", _VS),
        ],
        {"power": True, "brightness": 50, "rgb": [255, 160, 0], "effect": 9, "preset": 3},
    ),
    "homie": Sample(
        Homie(),
        "key-light",
        [(f"{_H}/$state", "init"), (f"{_H}/$description", json.dumps(HOMIE))],
        [
            (f"{_H}/light/power", "true"),
            (f"{_H}/light/brightness", "127"),
            (f"{_H}/light/color", "hsv,120,100,100"),
            (f"{_H}/light/color-temperature", "250"),
            (f"{_H}/light/mode", "party"),
            (f"{_H}/light/watts", "61.5"),
            (f"{_H}/light/angle", "-2.5"),
            (f"{_H}/$state", "ready"),
        ],
        {
            "power": True,
            "brightness": 50,
            "rgb": [0, 255, 0],
            "cct": 4000,
            "light.mode": "party",
            "light.angle": -2.5,
        },
    ),
}
