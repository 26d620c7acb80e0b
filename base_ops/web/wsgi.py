"""Runs a WSGI application in a fixed pool of threads behind ASGI.

Django's own ASGI handler costs about 14 times its WSGI handler. Here each of four threads keeps
its database connection, a request crosses threads twice, and sockets stay with Channels in the
same process. It gives up async views; a streamed answer holds its thread.
"""

import asyncio
import io
import logging
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from base_ops.web import problems
from base_ops.web.problems import Answer, Headers

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 25 * 1024 * 1024
IN_MEMORY_BYTES = 1024 * 1024
THREADS = 4
MOST_WAITING = 400
TIMEOUT_S = 60.0
PATIENCE_S = 10.0
GONE = "base_ops.gone"  # in the scope's extensions: whether the client hung up

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Environ = dict[str, Any]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class BodyTooLarge(Exception):
    """More than MAX_BODY_BYTES arrived or were announced."""


class WsgiInThreads:
    """An ASGI application for HTTP."""

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        *,
        threads: int = THREADS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._wsgi = wsgi
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(scope, receive)
        except BodyTooLarge:
            await _send_answer(send, problems.too_large())
            return
        except ClientGone:
            return
        if self._running >= MOST_WAITING:
            await _send_answer(send, problems.overloaded("too many requests wait"))
            return
        self._running += 1
        try:
            await self._run(scope, body, send)
        finally:
            self._running -= 1
            body.close()

    def shutdown(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, scope: Scope, body: IO[bytes], send: Send) -> None:
        loop = asyncio.get_running_loop()
        exchange = _Exchange(self._wsgi, environ_of(scope, body), scope, send, loop)
        work = loop.run_in_executor(self._pool, exchange.run)
        try:
            await asyncio.wait({work}, timeout=self._patience_s)
            if not work.done() and exchange.claim():
                work.cancel()
                logger.warning("web.saturated", extra={"path": scope["path"]})
                answer: Answer | None = problems.overloaded("no thread became free in time")
            else:
                answer = await asyncio.wait_for(work, TIMEOUT_S)
        except TimeoutError:
            logger.warning("web.timeout", extra={"path": scope["path"]})
            answer = None if exchange.started else problems.overloaded("it took too long")
        except ClientGone:
            return
        if answer is not None:
            await _send_answer(send, answer, head=scope["method"] == "HEAD")


class _Exchange:
    """One request inside a thread of the pool."""

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        environ: Environ,
        scope: Scope,
        send: Send,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._wsgi = wsgi
        self._environ = environ
        self._gone: Callable[[], bool] = scope.get("extensions", {}).get(GONE, lambda: False)
        self._head = scope["method"] == "HEAD"
        self._send = send
        self._loop = loop
        self._status = 500
        self._headers: Headers = []
        self._claim = threading.Lock()
        self.started = False

    def claim(self) -> bool:
        """True for the first who asks: the thread that runs it, or the loop that gives it up."""
        return self._claim.acquire(blocking=False)

    def run(self) -> Answer | None:
        """The whole answer, or None when it was streamed from here.

        Raises:
            ClientGone: the client hung up; whatever is a plain exception became a 500.
        """
        if self._gone() or not self.claim():
            raise ClientGone
        try:
            chunks = self._wsgi(self._environ, self._start)
        except Exception:  # the outermost loop of a request
            logger.exception("web.crashed", extra={"path": self._environ["PATH_INFO"]})
            return problems.crashed()
        try:
            if self._head:
                return Answer(self._status, self._headers, b"")
            if self._is_short(chunks):
                return Answer(self._status, self._headers, b"".join(chunks))
            self._stream(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return None

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """WSGI's start_response."""
        self._status = int(status[:3])
        self._headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]

    def _is_short(self, chunks: Iterable[bytes]) -> bool:
        """Whether the body is in memory already, or announced to be small."""
        if getattr(chunks, "streaming", not isinstance(chunks, (list, tuple))) is False:
            return True
        length = next((v for k, v in self._headers if k.lower() == b"content-length"), None)
        return length is not None and int(length) <= IN_MEMORY_BYTES

    def _stream(self, chunks: Iterable[bytes]) -> None:
        """Send as it comes, one chunk at a time."""
        self.started = True
        self._emit(_start_message(self._status, self._headers))
        for chunk in chunks:
            if self._gone():
                raise ClientGone
            self._emit({"type": "http.response.body", "body": chunk, "more_body": True})
        self._emit({"type": "http.response.body", "body": b"", "more_body": False})

    def _emit(self, message: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(_sent(self._send, message), self._loop).result(TIMEOUT_S)


async def _sent(send: Send, message: dict[str, Any]) -> None:
    await send(message)


async def read_body(scope: Scope, receive: Receive) -> IO[bytes]:
    """The request's body, in memory while it is small.

    Raises:
        BodyTooLarge: it is over the limit.
        ClientGone: the client hung up before its end.
    """
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise BodyTooLarge
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return io.BytesIO(message.get("body", b""))
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - caller's
    while True:
        if message["type"] == "http.disconnect":
            body.close()
            raise ClientGone
        body.write(message.get("body", b""))
        if body.tell() > MAX_BODY_BYTES:
            body.close()
            raise BodyTooLarge
        if not message.get("more_body"):
            body.seek(0)
            return body
        message = await receive()


def environ_of(scope: Scope, body: IO[bytes]) -> Environ:
    """What PEP 3333 asks for."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    path = unquote_to_bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    environ: Environ = {
        # ninja knows no HEAD: it runs as GET, and its body stays here.
        "REQUEST_METHOD": "GET" if scope["method"] == "HEAD" else scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0],
        "CONTENT_LENGTH": str(_length(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    return environ


def _length(body: IO[bytes]) -> int:
    """Bytes that arrived; a chunked request announces none."""
    length = body.seek(0, io.SEEK_END)
    body.seek(0)
    return length


def _add_header(environ: Environ, name: str, value: str) -> None:
    """Add one header; the same name again is joined as its kind wants."""
    if name in {"content-length", "transfer-encoding"} or "_" in name:
        return
    key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
    if key in environ:
        value = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
    environ[key] = value


async def _send_answer(send: Send, answer: Answer, *, head: bool = False) -> None:
    await send(_start_message(answer.status, answer.headers))
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def _start_message(status: int, headers: Headers) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}
