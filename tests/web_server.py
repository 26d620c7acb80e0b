"""A really running `manage.py run_web` on a free port, against the test database.

Needs a test with committed data: `pytest.mark.django_db(transaction=True)`.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect

from base_ops.core import auth, clock
from base_ops.core.models import User
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
_ADDRESS = re.compile(r"web: listening on (http://\S+)")


@dataclass(frozen=True)
class WebServer:
    """One running web process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def host(self) -> str:
        """Host and port, as the Host header has it."""
        return self.url.removeprefix("http://")

    def client(self, user: User | None = None) -> httpx.Client:
        """An HTTP client, with a token of `user`."""
        headers = {"Authorization": f"Bearer {token(user)}"} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def socket(self, user: User | None = None, **changes: object) -> connect:
        """A live socket, opened by a page of ours with the session cookie of `user`."""
        headers = {"Cookie": f"sessionid={session(user)}"} if user else {}
        options: dict[str, object] = {
            "subprotocols": ["live.v1"],
            "origin": self.url,
            "additional_headers": headers,
            "proxy": None,
        }
        return connect(f"ws://{self.host}/ws/v1/live", **options | changes)  # type: ignore[arg-type]


def token(user: User) -> str:
    """A new personal token."""
    return auth.new_token(user=user, name="test", now=clock.now())[0]


def session(user: User) -> str:
    """The key of a new session, as signing in makes it."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(timedelta(hours=1))
    store.create()
    return str(store.session_key)


def database_url() -> str:
    """The address of the database that this test uses."""
    made = connection.settings_dict
    login = f"{quote(made['USER'])}:{quote(made['PASSWORD'])}"
    return f"postgresql://{login}@/{made['NAME']}?host={quote(made['HOST'], safe='/')}" + (
        f"&port={made['PORT']}" if made["PORT"] else ""
    )


@contextmanager
def running(
    *,
    extra: Mapping[str, str] | None = None,
    database: str | None = None,
    program: str = "manage.py",
) -> Iterator[WebServer]:
    """Start the server, wait until it listens, and stop it afterwards.

    `program` takes manage.py's place where a test wants a server with something missing.
    """
    env = {**os.environ, "DATABASE_URL": database or database_url(), **(extra or {})}
    with tempfile.TemporaryDirectory(prefix="bo-web-") as folder:
        log = Path(folder) / "web.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, program, "run_web", "--port", "0"],
                cwd=ROOT,
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield WebServer(_address(process, log), process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    def found() -> str:
        text = log.read_text()
        if process.poll() is not None:
            raise RuntimeError(f"run_web ended with {process.returncode}:\n{text}")
        match = _ADDRESS.search(text)
        return match[1] if match else ""

    return eventually(found, 30, why="run_web does not listen")


__all__ = ["ClientConnection", "WebServer", "running", "session", "token"]
