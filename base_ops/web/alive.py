"""Answers /healthz in the event loop: also while every thread waits for the database."""

from base_ops.web.wsgi import Receive, Scope, Send, WsgiInThreads

_BODY = b'{"ok":true}'
_HEADERS = [
    (b"Content-Type", b"application/json"),
    (b"Content-Length", str(len(_BODY)).encode()),
    (b"Cache-Control", b"no-store"),
]


class Alive:
    """The HTTP application with /healthz in front."""

    def __init__(self, app: WsgiInThreads) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] != "/healthz" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        body = _BODY if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})
