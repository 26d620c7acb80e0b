"""The bridge between ASGI and WSGI: a bounded pool, streams, and clients that leave."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from base_ops.web.wsgi import WsgiInThreads
from tests.web.calling import call, through
from tests.web_server import ROOT


class Stream:
    """A response of unknown length that notices its end."""

    streaming = True

    def __init__(self, chunks: int) -> None:
        self.closed = False
        self.given = 0
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._chunks):
            self.given += 1
            yield b"x" * 1000

    def close(self) -> None:
        """What WSGI promises to call."""
        self.closed = True


def answering(body: Any) -> Callable[..., Any]:
    """A WSGI application that always says this."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-A", "1"), ("X-A", "2")])
        return body

    return wsgi


async def test_a_full_pool_answers_503_and_never_runs_what_it_refused() -> None:
    begun, release = threading.Event(), threading.Event()
    ran: list[str] = []

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        ran.append(environ["PATH_INFO"])
        begun.set()
        release.wait(20)
        start_response("200 OK", [])
        return [b"done"]

    bridge = WsgiInThreads(slow, threads=1, patience_s=0.2)
    first = asyncio.create_task(through(bridge, "/first"))
    await asyncio.to_thread(begun.wait, 10)

    refused = await through(bridge, "/second")
    release.set()
    answered = await first
    bridge.shutdown()

    assert refused.status == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0
    assert answered.body == b"done"
    assert ran == ["/first"]


async def test_a_stream_goes_out_in_pieces_and_is_closed() -> None:
    stream = Stream(5)

    got = await call(answering(stream), "/")

    assert len(got.body) == 5000
    assert len([chunk for chunk in got.chunks if chunk]) == 5
    assert stream.closed


async def test_a_stream_ends_when_its_client_left() -> None:
    stream = Stream(1000)
    bridge = WsgiInThreads(answering(stream))

    await through(bridge, gone=lambda: stream.given > 3)
    bridge.shutdown()

    assert stream.given < 10
    assert stream.closed


async def test_who_left_while_waiting_costs_no_work() -> None:
    stream = Stream(1)
    bridge = WsgiInThreads(answering(stream))

    got = await through(bridge, gone=lambda: True)
    bridge.shutdown()

    assert (stream.given, got.status) == (0, 0)


async def test_an_application_that_crashes_answers_500() -> None:
    def crash(environ: object, start_response: object) -> list[bytes]:
        raise ZeroDivisionError

    got = await call(crash, "/")

    assert got.status == 500
    assert got.headers["content-type"] == "application/problem+json"


async def test_environ_carries_headers_as_wsgi_wants_them() -> None:
    seen: dict[str, Any] = {}

    def look(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    headers = [
        (b"host", b"base.test"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"accept", b"x"),
        (b"accept", b"y"),
        (b"x_forged", b"1"),
        (b"content-type", b"text/plain"),
        (b"transfer-encoding", b"chunked"),
    ]
    await call(look, "/a%20b/%E4%B8%AD", headers)

    assert seen["PATH_INFO"].encode("latin-1").decode() == "/a b/中"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"
    assert seen["HTTP_ACCEPT"] == "x,y"
    assert seen["HTTP_HOST"] == "base.test"
    assert seen["CONTENT_TYPE"] == "text/plain"
    assert seen["CONTENT_LENGTH"] == "0"
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert not {"HTTP_X_FORGED", "HTTP_TRANSFER_ENCODING"} & set(seen)


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "manage.py", "run_web", "--port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert str(port) in ended.stderr.strip().splitlines()[-1]
