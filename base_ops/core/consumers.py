"""The socket /ws/v1/live: who may open it, and what its client may ask."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import psycopg
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error
from django.http.request import split_domain_port, validate_host

from base_ops.core import clock
from base_ops.core.live import frames, identity, meters
from base_ops.core.live.frames import BadFrame, Hello, Pong, Sub, Unsub
from base_ops.core.live.hub import Hub, hub
from base_ops.core.live.socket import Outbound, Socket

logger = logging.getLogger(__name__)

OUTBOUND = "base_ops.outbound"
MOST_TOPICS = 200
MOST_FAULTS = 5
UNAVAILABLE = 4503  # the database is away: come again


class LiveConsumer(AsyncWebsocketConsumer):
    """Accepts first and refuses after, or a browser never learns the close code."""

    hub: Hub
    socket: Socket | None = None
    faults = 0

    async def connect(self) -> None:
        """Greet a caller that is known; close on anybody else with a code that says why."""
        offered = self.scope["subprotocols"]
        spoken = frames.SUBPROTOCOL in offered
        await self.accept(frames.SUBPROTOCOL if spoken else next(iter(offered), None))
        headers = _headers(self.scope["headers"])
        if not spoken:
            await self.close(frames.WRONG_PROTOCOL)
            return
        if not origin_allowed(headers):
            await self.close(frames.FORBIDDEN)
            return
        self.hub = hub()
        now = clock.now()
        try:
            caller = await self.hub.in_thread(lambda: identity.identify(headers, now=now))
        except (Error, psycopg.Error) as exc:
            logger.warning("live.unavailable", extra={"reason": str(exc)[:200]})
            await self.close(UNAVAILABLE)
            return
        if caller is None:
            await self.close(frames.UNAUTHENTICATED)
            return
        outbound: Outbound = self.scope["extensions"][OUTBOUND]
        self.socket = Socket(outbound, caller)
        self.socket.send(frames.hello(user=caller.public, now=now))
        self.hub.join(self.socket)
        meters.SOCKETS.inc()

    async def disconnect(self, code: int) -> None:
        """Leave the hub."""
        if self.socket is not None:
            self.hub.leave(self.socket)
            self.socket = None
            meters.SOCKETS.dec()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer one message; a client that keeps sending nonsense is closed."""
        if self.socket is None:
            return
        await self.socket.ready()  # who does not read is not answered
        if self.socket.closed:
            return
        try:
            await self._answer(self.socket, frames.read(text_data or ""))
        except BadFrame as exc:
            self.faults += 1
            self.socket.send(frames.error(str(exc)))
            if self.faults >= MOST_FAULTS:
                self.socket.close(frames.NONSENSE)

    async def _answer(self, socket: Socket, message: Sub | Unsub | Pong | Hello) -> None:
        match message:
            case Pong():
                socket.heard_at = time.monotonic()
            case Unsub(topic=topic):
                self.hub.unfollow(socket, topic)
            case Sub():
                await self._subscribe(socket, message)
            case Hello():
                pass

    async def _subscribe(self, socket: Socket, wish: Sub) -> None:
        if len(socket.topics) >= MOST_TOPICS and wish.topic not in socket.topics:
            socket.send(frames.error("too_many_topics", wish.topic))
            return
        try:
            allowed = await self.hub.may(socket.caller, wish.topic)
        except (Error, psycopg.Error) as exc:
            logger.warning("live.unavailable", extra={"reason": str(exc)[:200]})
            socket.close(UNAVAILABLE)
            return
        if not allowed:
            socket.send(frames.error("topic_forbidden", wish.topic))
        elif not socket.closed:
            self.hub.follow(socket, wish.topic, wish.since)


def origin_allowed(headers: identity.Headers) -> bool:
    """Whether the page that opened the socket is ours; a machine with a token has no page."""
    host = headers.get("host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS or ["localhost"]):
        return False
    origin = headers.get("origin")
    if origin is None:
        return headers.get("authorization", "").lower().startswith("bearer ")
    parts = urlsplit(origin)
    return parts.netloc == host or origin in settings.ALLOWED_ORIGINS


def _headers(pairs: list[tuple[bytes, bytes]]) -> identity.Headers:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


async def nothing_here(
    scope: dict[str, Any], receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Refuse a socket at any other address."""
    await send({"type": "websocket.close"})
