"""A supervisor as a person starts it, in a folder of its own; for the tests of this package."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from base_ops.supervisor.tree import children_of
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


@dataclass
class Run:
    """A process with a growing file of what it said."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """All of it so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, timeout_s: float = START_S) -> re.Match[str]:
        """The first match of a pattern in what it said."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.said, re.MULTILINE)
            assert found or self.process.poll() is None, f"it ended: {self.said}"
            return found

        found = eventually(look, timeout_s, why=f"no {pattern!r}")
        assert found is not None
        return found

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """Send a signal and wait."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)


def descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    direct = children_of(pid)
    return direct.union(*(descendants(child) for child in direct))


def alive(pid: int) -> bool:
    """Whether a process exists and is not merely unburied."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextlib.contextmanager
def running(
    folder: Path, *command: str, environment: dict[str, str] | None = None
) -> Iterator[Run]:
    """Start a program; at the end nothing of it is left."""
    log = folder / "said.log"
    clean = {k: v for k, v in os.environ.items() if k not in OURS}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=clean | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
        )
    run = Run(process, log)
    try:
        yield run
    finally:
        left = descendants(process.pid) | {process.pid}
        if process.poll() is None:
            process.kill()
            process.wait()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL) if alive(pid) and pid != process.pid else None


OURS = {
    "DATABASE_URL",
    "MQTT_URL",
    "BASE_OPS_SECRET_KEY",
    "BASE_OPS_STATE_DIR",
    "BASE_OPS_ALLOWED_HOSTS",
    "DJANGO_SETTINGS_MODULE",
}
