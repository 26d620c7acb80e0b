"""A browser's ear: follows live topics over the socket and remembers what it was told."""

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.flows.stack import Person


@dataclass
class Ear:
    """One socket and the state of each topic, folded as the web app folds it."""

    socket: ClientConnection
    line: ExitStack
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    heads: dict[str, tuple[str, int]] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    tele: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_frame_at: float = field(default_factory=time.monotonic)
    closed: int | None = None

    @classmethod
    def of(cls, person: Person, *topics: str) -> "Ear":
        """Connect with the person's session and subscribe."""
        base = str(person.http.base_url).removesuffix("/api/v1/")
        line = ExitStack()
        socket = line.enter_context(
            connect(
                base.replace("http", "ws", 1) + "/ws/v1/live",
                subprotocols=[Subprotocol("live.v1")],
                additional_headers={"Cookie": person.cookie},
                origin=Origin(base),
                max_size=None,
                proxy=None,
                legacy=True,
            )
        )
        ear = cls(socket, line)
        for topic in topics:
            socket.send(json.dumps({"t": "sub", "topic": topic}))
        threading.Thread(target=ear._listen, daemon=True).start()
        return ear

    def _listen(self) -> None:
        try:
            for frame in self.socket:
                self.last_frame_at = time.monotonic()
                self._hear(json.loads(frame))
        except ConnectionClosed:
            pass
        self.closed = self.socket.close_code

    def _hear(self, frame: dict[str, Any]) -> None:
        topic = frame.get("topic", "")
        match frame["t"]:
            case "snap":
                self.topics[topic] = dict(frame["state"])
                self.heads[topic] = (frame["epoch"], frame["seq"])
            case "delta":
                self._fold(topic, frame)
            case "tele":
                self.tele.setdefault(topic, {}).update(frame["set"])
            case "ping":
                self.socket.send(json.dumps({"t": "pong"}))
            case _:
                pass

    def _fold(self, topic: str, frame: dict[str, Any]) -> None:
        if self.heads[topic][1] != frame["prev"]:
            self.gaps.append(f"{topic}: {self.heads[topic]} then {frame['prev']}")
        self.topics[topic].update(frame["set"])
        for key in frame["unset"]:
            self.topics[topic].pop(key, None)
        self.heads[topic] = (self.heads[topic][0], frame["seq"])

    def value(self, topic: str, key: str) -> dict[str, Any]:
        """What is known of one key; empty before the snapshot."""
        found = self.topics.get(topic, {}).get(key)
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Hang up."""
        self.line.close()
