"""A whole running base for a test: the processes that `./run` starts, and doors to them.

Everything goes through public doors. What a test needs beyond them is what a person at the machine
has too: the logins file, the process list, and a clock that can be moved.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
START_S = 420.0
MARKS = {
    "web": "run_web",
    "bridge": "run_bridge",
    "jobs": "run_jobs",
    "simulator": "run_simulator",
    "postgres": "bin/postgres",
    "broker": "base_ops.embedded.broker",
}


@dataclass
class Stack:
    """One running base."""

    process: subprocess.Popen[str]
    port: int
    state: Path
    log: Path
    clock_file: Path
    offset: timedelta = field(default=timedelta(0))
    people: "list[Person]" = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where its web app answers."""
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> datetime:
        """The present of this base."""
        return datetime.now(UTC) + self.offset

    def move_clock(self, to: datetime) -> None:
        """Let all its processes live at `to` from now on; never back in time."""
        assert to >= self.now(), f"{to} has passed"
        self.offset = to - datetime.now(UTC)
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(str(self.offset.total_seconds()), encoding="ascii")
        fresh.replace(self.clock_file)

    def mqtt_port(self) -> int:
        """Where its broker listens."""
        ports = json.loads((self.state / "ports.json").read_text(encoding="utf-8"))
        return int(ports["mqtt"])

    def logins(self) -> dict[str, tuple[str, str]]:
        """(e-mail, password) by role, as `./run` shows them."""
        rows = json.loads((self.state / "shown.json").read_text(encoding="utf-8"))
        return {row["role"]: (row["email"], row["password"]) for row in rows}

    def sign_in(self, role: str) -> "Person":
        """A person of this role with a session of their own."""
        self.people.append(Person.signed_in(self.url, *self.logins()[role]))
        return self.people[-1]

    def pid(self, name: str) -> int:
        """The process that plays this part now.

        Raises:
            LookupError: none does at the moment.
        """
        for child in psutil.Process(self.process.pid).children(recursive=True):
            words = _words(child)
            if any(MARKS[name] in word for word in words[:4]) and "postgres:" not in words[0]:
                return int(child.pid)
        raise LookupError(name)

    def kill(self, name: str) -> int:
        """kill -9 one part; returns its process id."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def ready(self) -> dict[str, Any] | None:
        """What /readyz says when all is well, else None."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None

    def wait_ready(self, timeout_s: float = 60) -> None:
        """Return once every part is well."""
        eventually(lambda: self.ready() is not None, timeout_s=timeout_s)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or [""]
    except psutil.Error:
        return [""]


@dataclass
class Person:
    """Somebody at a browser: a cookie session and its CSRF token."""

    http: httpx.Client
    csrf: str
    user: dict[str, Any]
    _key: int = 0

    @classmethod
    def signed_in(cls, url: str, email: str, password: str) -> "Person":
        """Sign in as a browser does."""
        http = httpx.Client(base_url=f"{url}/api/v1", timeout=30, headers={"Origin": url})
        csrf = http.get("/session").json()["csrf"]
        answer = http.post(
            "/session",
            json={"email": email, "password": password},
            headers={"X-CSRFToken": csrf},
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return cls(http, body["csrf"], body["user"])

    @property
    def cookie(self) -> str:
        """The Cookie header of the session."""
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a successful GET."""
        answer = self.http.get(path, params={k: v for k, v in params.items() if v is not None})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:600]}"
        return answer.json()

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """A POST with CSRF and a fresh Idempotency-Key, or the given one."""
        self._key += 1
        headers = {
            "X-CSRFToken": self.csrf,
            "Idempotency-Key": key or f"{id(self):x}-{self._key:08d}",
        }
        return self.http.post(path, json=body if body is not None else {}, headers=headers)

    def does(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The JSON of a POST that must end with this status."""
        answer = self.post(path, body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:900]}"
        return answer.json()


@contextmanager
def running(*words: str, environment: dict[str, str] | None = None) -> Iterator[Stack]:
    """Start a whole base in a folder of its own; end it with SIGTERM and see that it ends."""
    with tempfile.TemporaryDirectory(prefix="bo-flow-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        clock_file = folder / "clock"
        clock_file.write_text("0", encoding="ascii")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        env = {k: v for k, v in os.environ.items() if not k.startswith("BASE_OPS_")}
        env.pop("DATABASE_URL", None)
        env.pop("MQTT_URL", None)
        env |= {
            "BASE_OPS_STATE_DIR": str(folder / "state"),
            "BASE_OPS_CLOCK_FILE": str(clock_file),
            "BASE_OPS_BROKER": os.environ["BASE_OPS_BROKER"],
            **(environment or {}),
        }
        log = folder / "up.log"
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port), *words],
                cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        stack = Stack(process, port, folder / "state", log, clock_file)
        try:
            _wait_started(stack)
            yield stack
        finally:
            for person in stack.people:
                person.http.close()
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_started(stack: Stack) -> None:
    def started() -> bool:
        if stack.process.poll() is not None:
            tail = stack.log.read_text(encoding="utf-8")[-3000:]
            raise RuntimeError(f"the base ended with {stack.process.returncode}:\n{tail}")
        return stack.ready() is not None

    try:
        eventually(started, timeout_s=START_S)
    except AssertionError as exc:
        tail = stack.log.read_text(encoding="utf-8")[-3000:]
        raise AssertionError(f"{exc}; its log ends with:\n{tail}") from exc
