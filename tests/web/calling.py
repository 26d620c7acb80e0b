"""Calls a WSGI application through the bridge without a socket between."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from base_ops.web.wsgi import WsgiInThreads

Wsgi = Callable[..., Iterable[bytes]]


@dataclass
class Got:
    """One answer, as the server's side sees it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)


async def call(wsgi: Wsgi, path: str, headers: list[tuple[bytes, bytes]] | None = None) -> Got:
    """One GET through a bridge of its own."""
    bridge = WsgiInThreads(wsgi)
    try:
        return await through(bridge, path, headers)
    finally:
        bridge.shutdown()


async def through(
    bridge: WsgiInThreads,
    path: str = "/",
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    method: str = "GET",
    gone: Callable[[], bool] = lambda: False,
) -> Got:
    """One request without a body."""
    got = Got()
    requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    requests.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    scope = {
        "type": "http",
        "method": method,
        "http_version": "1.1",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers or [],
        "client": ["127.0.0.1", 50000],
        "server": ["127.0.0.1", 8000],
        "extensions": {"base_ops.gone": gone},
    }

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            got.chunks.append(message["body"])

    await bridge(scope, requests.get, send)
    return got
