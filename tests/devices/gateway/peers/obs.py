"""An OBS on the wire, written from obs-websocket's own protocol document.

That it is one, a client that we did not write says in test_obs.py.
"""

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import msgpack
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.devices.gateway.peers.loops import until_the_end

# The example of the document: "Creating an authentication string".
PASSWORD = "supersecretpassword"
SALT = "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI="
CHALLENGE = "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="
ANSWER = "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="


@dataclass
class Studio:
    """The program itself."""

    password: str = PASSWORD
    active: bool = False
    starts: bool = True  # false: the platform never answers, the stream never comes up
    sent_bytes: int = 0
    skipped: int = 0
    total: int = 0
    service: dict[str, Any] = field(default_factory=lambda: {"server": "", "key": ""})
    video: dict[str, Any] = field(
        default_factory=lambda: {
            "outputWidth": 1920,
            "outputHeight": 1080,
            "fpsNumerator": 30,
            "fpsDenominator": 1,
        }
    )
    bitrate: str = "6000"
    deaf: bool = False
    requests: list[str] = field(default_factory=list)
    sockets: set[ServerConnection] = field(default_factory=set)

    async def serve(self, socket: ServerConnection) -> None:
        """One client, from Hello on."""
        try:
            await self._greet(socket)
            self.sockets.add(socket)
            async for text in socket:
                if not self.deaf:
                    await self._answer(socket, _read(text)["d"])
        except ConnectionClosed:
            return
        finally:
            self.sockets.discard(socket)

    async def _greet(self, socket: ServerConnection) -> None:
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.5.2", "rpcVersion": 1}
        if self.password:
            hello["authentication"] = {"challenge": CHALLENGE, "salt": SALT}
        await _send(socket, {"op": 0, "d": hello})
        frame = _read(await socket.recv())
        assert frame["op"] == 1
        if self.password and frame["d"].get("authentication") != self._expected():
            await socket.close(4009, "Authentication failed.")
            return
        await _send(socket, {"op": 2, "d": {"negotiatedRpcVersion": 1}})

    def _expected(self) -> str:
        secret = base64.b64encode(hashlib.sha256((self.password + SALT).encode()).digest())
        return base64.b64encode(hashlib.sha256(secret + CHALLENGE.encode()).digest()).decode()

    async def _answer(self, socket: ServerConnection, request: dict[str, Any]) -> None:
        kind, data = request["requestType"], request.get("requestData", {})
        self.requests.append(kind)
        code, answer, event = self._do(kind, data)
        body = {
            "requestType": kind,
            "requestId": request["requestId"],
            "requestStatus": {"result": code == 100, "code": code},
            **({"responseData": answer} if answer else {}),
        }
        await _send(socket, {"op": 7, "d": body})
        if event:
            await self.tell(event)

    async def tell(self, state: str) -> None:
        """The event of the stream, to everybody."""
        data = {"outputActive": self.active, "outputState": f"OBS_WEBSOCKET_OUTPUT_{state}"}
        event = {"eventType": "StreamStateChanged", "eventIntent": 64, "eventData": data}
        for socket in list(self.sockets):
            await _send(socket, {"op": 5, "d": event})

    def _do(self, kind: str, data: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
        if kind == "StartStream":
            if self.active:
                return 500, {}, ""
            self.active = self.starts
            return 100, {}, "STARTED" if self.starts else "STARTING"
        if kind == "StopStream":
            was, self.active = self.active, False
            return (100, {}, "STOPPED") if was else (501, {}, "")
        if kind == "SetVideoSettings":
            if self.active:
                return 500, {}, ""
            self.video |= data
        elif kind == "SetStreamServiceSettings":
            self.service = dict(data["streamServiceSettings"])
        elif kind == "SetProfileParameter":
            self.bitrate = data["parameterValue"]
        answer = self._tell(kind)
        return (204 if answer is None else 100), answer or {}, ""

    def _tell(self, kind: str) -> dict[str, Any] | None:
        if self.active:
            self.sent_bytes, self.total = self.sent_bytes + 150_000, self.total + 30
        answers: dict[str, dict[str, Any]] = {
            "GetVersion": {"obsVersion": "30.2.3", "obsWebSocketVersion": "5.5.2"},
            "GetStreamStatus": {
                "outputActive": self.active,
                "outputReconnecting": False,
                "outputTimecode": "00:00:00.000",
                "outputDuration": 0,
                "outputCongestion": 0.01,
                "outputBytes": self.sent_bytes,
                "outputSkippedFrames": self.skipped,
                "outputTotalFrames": self.total,
            },
            "GetVideoSettings": self.video,
            "GetStreamServiceSettings": {
                "streamServiceType": "rtmp_custom",
                "streamServiceSettings": self.service,
            },
            "GetProfileParameter": {
                "parameterValue": self.bitrate,
                "defaultParameterValue": "2500",
            },
            "GetStats": {"cpuUsage": 7.5, "activeFps": 29.97},
            "SetVideoSettings": {},
            "SetStreamServiceSettings": {},
            "SetProfileParameter": {},
        }
        return answers.get(kind)


def _read(frame: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgpack.unpackb(frame) if type(frame) is bytes else json.loads(frame)
    return found


async def _send(socket: ServerConnection, frame: dict[str, Any]) -> None:
    packed = socket.subprotocol == "obswebsocket.msgpack"
    await socket.send(msgpack.packb(frame) if packed else json.dumps(frame))


async def start(studio: Studio, port: int = 0) -> int:
    """OBS on 127.0.0.1; its port."""
    names = [Subprotocol("obswebsocket.json"), Subprotocol("obswebsocket.msgpack")]
    server = await serve(studio.serve, "127.0.0.1", port, subprotocols=names)
    until_the_end(server)
    found: int = next(iter(server.sockets)).getsockname()[1]
    return found


async def hang_up(studio: Studio) -> None:
    """OBS quits: all lines go."""
    await asyncio.gather(*(socket.close() for socket in list(studio.sockets)))
