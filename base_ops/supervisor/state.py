"""The state folder `.base_ops/`: a lock, secrets made here, remembered ports."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEAST_FREE_BYTES = 200 * 1024 * 1024
_FILES = ("secrets.json", "ports.json", "logins.json", "shown.json")
_FOLDERS = ("postgres", "broker", "logs", "static")


class CannotStart(Exception):
    """Why the base does not start, as a sentence that says what to do."""


@dataclass(frozen=True)
class State:
    """What this base remembers between two starts."""

    folder: Path

    def make(self) -> None:
        """Make the folder, closed to others.

        As root it may be walked through (not listed): PostgreSQL runs as another account.

        Raises:
            CannotStart: it cannot be written, or the disk is full.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for name in ("logs", "broker"):
                (self.folder / name).mkdir(exist_ok=True, mode=0o700)
            (self.folder / "lock").touch(mode=0o600)
        except OSError as exc:
            raise CannotStart(sentence(exc, self.folder)) from exc
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE_BYTES:
            raise CannotStart(
                f"Only {free // 2**20} MB are free on the disk of {self.folder}: make at least "
                f"{LEAST_FREE_BYTES // 2**20} MB free, or set BASE_OPS_STATE_DIR."
            )

    @contextlib.contextmanager
    def locked(self, address: str) -> Iterator[None]:
        """Hold the lock while the base runs. Linux frees it however we die, so none is ever stale.

        Raises:
            CannotStart: another run holds it.
        """
        with (self.folder / "lock").open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                pid, _, where = lock.read().partition(" ")
                raise CannotStart(
                    f"This base is already running (process {pid}, {where.strip()}). Open that "
                    f"address, or stop it with Ctrl-C in its window or with: kill {pid}"
                ) from exc
            lock.truncate()
            lock.write(f"{os.getpid()} {address}")
            lock.flush()
            yield

    def secret(self, name: str) -> str:
        """A secret of that name, made the first time."""
        file = self.folder / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(48)
            write_closed(file, json.dumps(known))
        return known[name]

    def port(self, name: str) -> int:
        """A free port of 127.0.0.1; the one of last time where that is still free."""
        file = self.folder / "ports.json"
        known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        if not is_free("127.0.0.1", known.get(name, 0)):
            known[name] = 0
        if not known.get(name):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                known[name] = probe.getsockname()[1]
            write_closed(file, json.dumps(known))
        return known[name]

    def forget(self) -> None:
        """Delete what a base made here, and nothing else that may lie in the folder."""
        for name in _FOLDERS:
            if (self.folder / name).exists():
                shutil.rmtree(self.folder / name)
        for name in _FILES:
            (self.folder / name).unlink(missing_ok=True)


def write_closed(file: Path, text: str) -> None:
    """Replace a file that only we may read; a crash leaves the old or the new one."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                return False
            raise CannotStart(
                f"Cannot listen on {host}:{port} ({exc.strerror}): choose others with "
                "--host and --port (a port above 1023)."
            ) from exc
    return True


def sentence(exc: OSError, folder: Path) -> str:
    """An error of the file system, and what to do."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full: make room and start again."
    return (
        f"Cannot write in {folder} ({exc.strerror}): make it writable, or name another folder "
        "in BASE_OPS_STATE_DIR."
    )
