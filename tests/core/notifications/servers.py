"""Small real servers on 127.0.0.1: some that work, and all the ways in which one does not."""

import contextlib
import email
import email.policy
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.brokers import free_port

Talk = Callable[[socket.socket, threading.Event], None]


@dataclass
class Heard:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """An HTTP server that remembers requests and answers as `answer` says."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[Heard], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"{}")


@contextlib.contextmanager
def web(*, tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """A server that takes everything, until `answer` is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard = Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            made.heard.append(heard)
            status, headers, answer = made.answer(heard)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Web(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def raw(talk: Talk) -> Iterator[str]:
    """A TCP server that does to each connection what `talk` says; yields its http address.

    Leaving hangs up on everybody.
    """
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    open_now: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talk(connection, over)
        connection.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = listener.accept()
                open_now.append(connection)
                threads.append(threading.Thread(target=serve, args=[connection]))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def black_hole(connection: socket.socket, over: threading.Event) -> None:
    """Takes the connection and never says a word."""
    over.wait()


def slow_loris(connection: socket.socket, over: threading.Event) -> None:
    """Always about to answer: a letter of a header at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        connection.sendall(b"a")


def closes(connection: socket.socket, over: threading.Event) -> None:
    """Hangs up at once."""


def hangs_up_half_way(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def endless(connection: socket.socket, over: threading.Event) -> None:
    """An answer that never ends, as fast as it is read."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"x" * 65536)


def speaks_no_http(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"SSH-2.0-OpenSSH_9.7\r\n")


@dataclass
class Mail:
    """One that was taken: to whom, and how a mail program reads it."""

    to: list[str]
    message: EmailMessage


@dataclass
class Mailbox:
    """What a mail server took."""

    host: str
    port: int
    mails: list[Mail] = field(default_factory=list)
    refuse: Callable[[str], str | None] = lambda _: None

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.refuse(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        raw = envelope.content or b""
        assert isinstance(raw, bytes)
        found = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(Mail(list(envelope.rcpt_tos), found))
        return "250 OK"


@contextlib.contextmanager
def mail_server(**options: Any) -> Iterator[Mailbox]:
    """A real SMTP server."""
    box = Mailbox("127.0.0.1", free_port())
    controller = Controller(box, hostname=box.host, port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
