"""One HTTP request to a place that may be dead, slow or hostile.

Everything is bounded: connecting, each wait, the whole, and how much of the answer is read.
Redirects are answers like any other; nothing is followed.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpcore

from base_ops.core.notifications import addresses
from base_ops.core.notifications.addresses import Target

CONNECT_S = 3.0
READ_S = 5.0
TOTAL_S = 10.0
MOST_BODY = 16 * 1024
AGENT = "base-ops-notifications/1"


class NoAnswer(Exception):
    """No complete answer; `code` says why, in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is cut at MOST_BODY."""

    status: int
    retry_after: str
    body: bytes


def post(
    target: Target,
    *,
    body: bytes,
    headers: Mapping[str, str],
    private: bool,
    tls: ssl.SSLContext | None = None,
    total_s: float = TOTAL_S,
) -> Answer:
    """Send `body` once.

    Raises:
        addresses.BadAddress: the name is unknown or leads inside.
        NoAnswer: refused, closed, too slow, or not HTTP.
    """
    clock = _Clock(time.monotonic() + total_s)
    backend = _Pinned(addresses.resolved(target, private=private), clock)
    try:
        with httpcore.ConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=1,
            network_backend=backend,
        ) as pool:
            return _exchanged(pool, target, body, headers)
    except httpcore.TimeoutException as exc:
        raise NoAnswer("timeout") from exc
    except (httpcore.ConnectError, OSError) as exc:
        tls_failed = isinstance(exc.__cause__ or exc, ssl.SSLError) or "SSL" in str(exc)
        raise NoAnswer("tls" if tls_failed else "unreachable") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
        raise NoAnswer("broken_answer") from exc


def _exchanged(
    pool: httpcore.ConnectionPool, target: Target, body: bytes, headers: Mapping[str, str]
) -> Answer:
    scheme = b"https" if target.https else b"http"
    url = httpcore.URL(
        scheme=scheme, host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    sent = {
        "Host": target.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept": "application/json",
        "User-Agent": AGENT,
        "Connection": "close",
        **headers,
    }
    timeouts = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": CONNECT_S}
    with pool.stream(
        "POST",
        url,
        headers=[(k.encode(), v.encode()) for k, v in sent.items()],
        content=body,
        extensions={"timeout": timeouts},
    ) as response:
        found = {k.lower(): v for k, v in response.headers}
        return Answer(
            response.status,
            found.get(b"retry-after", b"").decode("ascii", errors="replace"),
            _bounded(response.iter_stream()),
        )


def _bounded(chunks: Iterable[bytes]) -> bytes:
    """The beginning of a body; who sends more is not read on."""
    read = b""
    for chunk in chunks:
        read += chunk
        if len(read) >= MOST_BODY:
            break
    return read[:MOST_BODY]


@dataclass(frozen=True, slots=True)
class _Clock:
    """What is left of the whole time, whatever single waits may take."""

    ends: float

    def at_most(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise error
        return left if timeout is None else min(left, timeout)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses it was given and to none that a name means by now."""

    def __init__(self, hosts: list[str], clock: _Clock) -> None:
        self._hosts = hosts
        self._clock = clock
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._hosts[:2]:
            try:
                left = self._clock.at_most(timeout, httpcore.ConnectTimeout)
                return _Timed(self._plain.connect_tcp(address, port, left), self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure


class _Timed(httpcore.NetworkStream):
    """A connection on which no wait outlasts the whole."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.at_most(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.at_most(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.at_most(timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
