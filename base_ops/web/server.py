"""Daphne with what it lacks: body and inbound limits, a known outbound side, a bounded goodbye."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as Daphne
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer

from base_ops.core.consumers import OUTBOUND
from base_ops.core.live import frames
from base_ops.web import problems
from base_ops.web.outbound import GOODBYE_S, Outbound, say_goodbye
from base_ops.web.wsgi import GONE, MAX_BODY_BYTES

logger = logging.getLogger(__name__)

DRAINED_AT_MOST = 4 * MAX_BODY_BYTES
MOST_UNREAD = 256
FINISH_S = 1.0
LEAVE_S = 2.3
HTTP_TIMEOUT_S = 90


class Request(WebRequest):
    """A request whose body is never stored beyond the limit."""

    _received = 0

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep a part of the body; past the limit only count, past four times that hang up."""
        self._received += len(data)
        if self._received <= MAX_BODY_BYTES:
            super().handleContentChunk(data)
        elif self._received > DRAINED_AT_MOST:
            self.channel.forceAbortClient()

    def process(self) -> Any:
        """Hand over to the application, unless the body was cut."""
        if self._received <= MAX_BODY_BYTES:
            return super().process()
        answer = problems.too_large()
        self.setResponseCode(answer.status)
        for name, value in [*answer.headers, (b"Connection", b"close")]:
            self.responseHeaders.addRawHeader(name, value)
        self.write(answer.body)
        self.finish()
        return None


class SocketProtocol(WebSocketProtocol):
    """A WebSocket whose client cannot fill our memory by sending faster than we answer."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        """Queue a message for the application, or hang up when too many wait there."""
        if self.application_queue.qsize() > MOST_UNREAD:
            say_goodbye(self, frames.NONSENSE)
            return
        super().onMessage(payload, isBinary)


class RequestFactory(HTTPFactory):
    """Makes our kind of request."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """A channel for one connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class SocketFactory(WebSocketFactory):
    """Makes our kind of WebSocket."""

    protocol = SocketProtocol


class Server(Daphne):
    """One web server on one address."""

    def __init__(
        self, application: Any, *, endpoint: str, listening: Callable[[str, int], None]
    ) -> None:
        super().__init__(
            application,
            endpoints=[endpoint],
            http_timeout=HTTP_TIMEOUT_S,
            request_buffer_size=1024 * 1024,
            websocket_timeout=-1,
            websocket_handshake_timeout=5,
            websocket_max_message_size=frames.MAX_FRAME_BYTES,
            websocket_max_frame_size=frames.MAX_FRAME_BYTES,
            application_close_timeout=5,
            server_name="base-ops",
        )
        self._listening = listening
        self.failed = ""

    # Daphne makes its factories inside run() and offers no other way to give it ours.
    @property
    def http_factory(self) -> HTTPFactory:
        """What makes a channel of each connection."""
        return self._http_factory

    @http_factory.setter
    def http_factory(self, _: HTTPFactory) -> None:
        self._http_factory = RequestFactory(self)

    @property
    def ws_factory(self) -> WebSocketFactory:
        """What makes a WebSocket of an upgraded request."""
        return self._ws_factory

    @ws_factory.setter
    def ws_factory(self, _: WebSocketFactory) -> None:
        self._ws_factory = SocketFactory(self, server=self.server_name)
        # Say 1009 rather than hang up; give a slow reader time to come to our close frame.
        self._ws_factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=GOODBYE_S)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application for one request or socket, with its outbound side in the scope."""
        extensions = scope.setdefault("extensions", {})
        if scope["type"] == "websocket":
            extensions[OUTBOUND] = Outbound(protocol)
        else:
            extensions[GONE] = lambda: protocol.channel is None
        return super().create_application(protocol, scope)

    def listen_success(self, port: Any) -> None:
        """Say where we listen."""
        super().listen_success(port)
        host = port.getHost()
        self._listening(host.host, host.port)

    def listen_error(self, failure: Any) -> None:
        """Keep the reason; the command reports it."""
        self.failed = failure.getErrorMessage()
        self.stop()

    def kill_all_applications(self) -> Any:
        """Take no more, let requests finish for a moment, then end everything."""
        leave_within(LEAVE_S)
        for listener in self.listeners:
            listener.addCallback(_stop_listening)
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._finish()))

    async def _finish(self) -> None:
        """Wait for HTTP at most FINISH_S; sockets are closed with 1001 and not waited for."""
        running = [
            (protocol, details["application_instance"])
            for protocol, details in self.connections.items()
            if "application_instance" in details
        ]
        requests = {task for protocol, task in running if isinstance(protocol, WebRequest)}
        for protocol, _ in running:
            if isinstance(protocol, WebSocketProtocol):
                _leave(protocol)
        if requests:
            await asyncio.wait(requests, timeout=FINISH_S)
        for _, task in running:
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)


def leave_within(seconds: float) -> None:
    """End the process then at the latest, even when a thread is still in a request.

    What such a request has not committed it has not promised to anybody.
    """
    watchdog = threading.Timer(seconds, os._exit, [0])
    watchdog.daemon = True
    watchdog.start()


def _leave(protocol: WebSocketProtocol) -> None:
    """Tell an open socket that we are going."""
    if protocol.state == protocol.STATE_OPEN:
        say_goodbye(protocol, frames.GOING_AWAY)


def _stop_listening(port: Any) -> Any:
    """None when listening had failed."""
    return port.stopListening() if port is not None else None
