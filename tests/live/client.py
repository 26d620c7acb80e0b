"""A live.v1 client that blocks: it says what a page says and folds what a page folds."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from base_ops.core import clock, live
from base_ops.core.models import User
from tests.web_server import WebServer, session, token

Message = dict[str, Any]
WAIT_S = 10.0


@dataclass
class Page:
    """An open socket and what it knows of its topics."""

    connection: ClientConnection
    topics: dict[str, Message] = field(default_factory=dict)
    seen: list[Message] = field(default_factory=list)

    def say(self, **message: object) -> None:
        """Send one message."""
        self.connection.send(json.dumps(message))

    def hear(self, timeout_s: float = WAIT_S) -> Message:
        """The next message, folded into `topics`."""
        message: Message = json.loads(self.connection.recv(timeout=timeout_s))
        self.seen.append(message)
        self._fold(message)
        if message["t"] == "ping":
            self.say(t="pong")
        return message

    def await_(self, kind: str, timeout_s: float = WAIT_S, **fields: object) -> Message:
        """The next message of this kind with these fields; others on the way are folded."""
        while True:
            message = self.hear(timeout_s)
            if message["t"] == kind and fields.items() <= message.items():
                return message

    def follow(self, topic: str, since: Message | None = None) -> Message:
        """Subscribe and return the answer (`ok` or `err`)."""
        self.say(t="sub", topic=topic, **({"since": since} if since else {}))
        while True:
            message = self.hear()
            if message["t"] in {"ok", "err"} and message.get("topic") == topic:
                return message

    def head(self, topic: str) -> Message:
        """Where this page is, as `since` wants it."""
        return {k: self.topics[topic][k] for k in ("epoch", "seq")}

    def await_seq(self, topic: str, seq: int) -> dict[str, Any]:
        """The topic's state once it has come to `seq`."""
        while self.topics.get(topic, {}).get("seq", -1) < seq:
            self.hear()
        state: dict[str, Any] = self.topics[topic]["state"]
        return state

    def close_code(self) -> int:
        """Read until the server hangs up; its code."""
        try:
            while True:
                self.hear()
        except ConnectionClosed as exc:
            return exc.rcvd.code if exc.rcvd else 1006

    def _fold(self, message: Message) -> None:
        match message:
            case {"t": "snap", "topic": topic, "epoch": epoch, "seq": seq, "state": state}:
                self.topics[topic] = {"epoch": epoch, "seq": seq, "state": dict(state)}
            case {"t": "delta", "topic": topic, "epoch": epoch, "prev": prev, "seq": seq}:
                known = self.topics[topic]
                assert known["epoch"] == epoch
                assert prev <= known["seq"] <= seq, f"a gap: {known['seq']} then {prev}"
                known["state"].update(message["set"])
                for key in message["unset"]:
                    known["state"].pop(key, None)
                known["seq"] = seq
            case _:
                pass


@contextmanager
def page(server: WebServer, user: User | None, **options: Any) -> Iterator[Page]:
    """A page of ours, signed in by cookie unless `user` is None."""
    headers = {"Cookie": f"sessionid={session(user)}"} if user else {}
    with opened(server, headers, **{"origin": server.url} | options) as made:
        yield made


@contextmanager
def machine(server: WebServer, user: User, **options: Any) -> Iterator[Page]:
    """A program with a token and no Origin."""
    with opened(server, {"Authorization": f"Bearer {token(user)}"}, **options) as made:
        yield made


@contextmanager
def opened(server: WebServer, headers: dict[str, str], **options: Any) -> Iterator[Page]:
    """Any socket to the live address."""
    options = {"subprotocols": ["live.v1"], "proxy": None, "close_timeout": 1} | options
    url = f"ws://{server.host}/ws/v1/live"
    with connect(url, additional_headers=headers, **options) as connection:
        yield Page(connection)


def small_buffer(server: WebServer) -> socket.socket:
    """A connection whose own kernel buffer is small, so that not reading is soon noticed."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    host, port = server.host.split(":")
    made.connect((host, int(port)))
    return made


def resident_bytes(server: WebServer) -> int:
    """Memory that the web process holds."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def publish(topic: str, /, **values: Any) -> None:
    """Publish one change in a transaction of its own; None unsets."""
    with transaction.atomic():
        live.publish({topic: values}, now=clock.now())
