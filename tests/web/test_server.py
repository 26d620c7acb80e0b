"""The web process as a client sees it: limits, methods, errors, goodbye."""

import signal
import socket
import time
from collections.abc import Iterator
from threading import Thread

import httpx
import pytest

from base_ops.core.models import Role
from tests import make
from tests.web_server import WebServer, running

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[WebServer]:
    with running() as started:
        yield started


def raw(server: WebServer, request: bytes) -> bytes:
    """Bytes in, bytes out, until the server hangs up."""
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def test_health_and_errors_are_answered_as_promised(server: WebServer) -> None:
    with server.client() as client:
        alive = client.get("/healthz")
        ready = client.get("/readyz")
        unknown = client.get("/api/v1/nothing")
        stranger = client.get("/api/v1/ping")

    assert (alive.status_code, alive.json()) == (200, {"ok": True})
    assert ready.status_code == 503  # no bridge, no jobs here
    assert ready.json()["checks"]["database"]["ok"] is True
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"
    assert stranger.status_code == 401
    assert stranger.json()["code"]


def test_a_signed_in_caller_is_answered_and_headers_are_strict(server: WebServer) -> None:
    with server.client(make.user(Role.MANAGER)) as client:
        answer = client.get("/api/v1/ping")

    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_head_has_the_headers_of_get_and_no_body(server: WebServer) -> None:
    host = server.host.encode()

    answer = raw(
        server, b"HEAD /api/v1/nothing HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert b"application/problem+json" in head
    assert body == b""


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_with_a_problem(server: WebServer, chunked: bool) -> None:
    body = b"x" * (26 * MIB)

    with server.client() as client:
        content = iter([body[:MIB]] * 26) if chunked else body
        answer = client.post("/api/v1/session", content=content)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "body_too_large"


def test_a_large_body_below_the_limit_reaches_django_whole(server: WebServer) -> None:
    with server.client() as client:
        answer = client.post("/api/v1/session", content=iter([b" " * MIB] * 20))

    assert answer.status_code in {400, 403, 422}  # read, and no JSON


def test_repeated_headers_are_joined(server: WebServer) -> None:
    host = server.host.encode()
    lines = b"Accept-Language: en\r\nAccept-Language: zh\r\n"

    answer = raw(
        server,
        b"GET /api/v1/x HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n" % (host, lines),
    )

    assert b'"title": "' in answer
    assert answer.startswith(b"HTTP/1.1 404")


def test_a_page_of_the_app_is_never_cached_and_an_unknown_file_is_missing(
    server: WebServer,
) -> None:
    with server.client() as client:
        page = client.get("/bookings/BK1")
        missing = client.get("/assets/none-12345678.js")

    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert missing.status_code == 404


def test_a_foreign_host_name_is_refused(server: WebServer) -> None:
    answer = raw(server, b"GET /readyz HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400")


def test_metrics_count_requests_by_route_and_status(server: WebServer) -> None:
    with server.client() as client:
        client.get("/api/v1/ping")
        text = client.get("/metrics").text

    assert 'route="api/v1/ping"' in text
    assert "base_ops_live_sockets" in text


def test_sigterm_ends_the_server_in_time_with_a_request_running() -> None:
    with running() as server:
        request = Thread(target=_ignore_errors, args=(server,))
        request.start()
        began = time.monotonic()

        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(timeout=5)
        took_s = time.monotonic() - began

    assert code == 0
    assert took_s < 5  # what the supervisor waits for
    request.join()


def _ignore_errors(server: WebServer) -> None:
    """Whatever the answer: the server is going away."""
    try:
        with server.client() as client:
            client.get("/readyz")
    except httpx.HTTPError:
        pass
