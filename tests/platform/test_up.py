"""`manage.py up` as a person runs it: the real processes of a base without demo or fleet."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.brokers import free_port
from tests.platform.bases import Run, alive, descendants, running
from tests.waiting import eventually

LONGEST_STOP_S = 5.0
READY_S = 240.0  # on a machine that builds something else too


@dataclass(frozen=True)
class Base:
    """A running base."""

    run: Run
    folder: Path
    port: int

    def status(self, path: str) -> int:
        """The status of GET `path`; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=5
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            return exc.code
        except OSError:
            return 0

    def wait_until_ready(self) -> None:
        """Database, broker and jobs all well."""
        eventually(lambda: self.status("/readyz") == 200, READY_S, why="never ready")


def up(*words: str) -> tuple[str, ...]:
    return ("manage.py", "up", "--no-demo", "--no-simulator", *words)


def settings(folder: Path, **more: str) -> dict[str, str]:
    return {"BASE_OPS_STATE_DIR": str(folder / "state"), **more}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder, port = tmp_path_factory.mktemp("up"), free_port()
    command = up("--port", str(port))
    with running(folder, *command, environment=settings(folder)) as run:
        run.wait_for(r"Base Ops is running: http://127.0.0.1:\d+", READY_S)
        found = Base(run, folder, port)
        found.wait_until_ready()
        yield found


def test_it_says_where_it_is_and_who_may_sign_in(base: Base) -> None:
    base.run.wait_for(rf"Base Ops is running: http://127.0.0.1:{base.port} ")
    base.run.wait_for(r"admin +\S+@\S+ +\S{12,}")


def test_a_second_run_is_refused(base: Base, tmp_path: Path) -> None:
    command = up("--port", str(free_port()))
    with running(tmp_path, *command, environment=settings(base.folder)) as second:
        assert second.process.wait(30) == 1

    assert f"already running (process {base.run.process.pid}," in second.said


def test_fresh_is_refused_while_it_runs(base: Base, tmp_path: Path) -> None:
    command = up("--fresh", "--yes")
    with running(tmp_path, *command, environment=settings(base.folder)) as second:
        assert second.process.wait(30) == 1

    assert base.status("/healthz") == 200


@pytest.mark.parametrize("name", ["postgres", "web", "broker", "bridge", "jobs"])
def test_any_process_may_be_killed(base: Base, name: str) -> None:
    base.wait_until_ready()
    victim = process_of(base, name)

    os.kill(victim, signal.SIGKILL)

    base.run.wait_for(rf"{name} ended \(killed by SIGKILL\), starting again")
    eventually(lambda: process_of(base, name) not in {0, victim}, 30, why="not started again")
    base.wait_until_ready()


def test_at_the_end_nothing_is_left(base: Base) -> None:
    everybody = descendants(base.run.process.pid)
    began = time.monotonic()

    code = base.run.end(signal.SIGINT)

    assert code == 0
    assert time.monotonic() - began < LONGEST_STOP_S
    assert len(everybody) > 6
    assert not [pid for pid in everybody if alive(pid)]
    assert base.run.said.rstrip().endswith("stopped")


def process_of(base: Base, name: str) -> int:
    """The number of a direct child, told by its command line; 0 while there is none."""
    words = {"postgres": "/postgres\0-D", "broker": "base_ops.embedded.broker"}
    wanted = words.get(name, f"run_{name}")
    for pid in descendants(base.run.process.pid):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        if wanted in line or (name == "broker" and "mosquitto" in line):
            return pid
    return 0


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = up("--port", str(port))
        with running(tmp_path, *command, environment=settings(tmp_path)) as run:
            assert run.process.wait(30) == 1

    assert run.said == (
        f"Port {port} is taken by another program: choose another with ./run --port {port + 1}\n"
    )


def test_every_bad_setting_is_named_at_once_and_nothing_is_started(tmp_path: Path) -> None:
    bad = settings(
        tmp_path,
        BASE_OPS_SECRET_KEY="short",
        DATABASE_URL="mysql://x/y",
        MQTT_URL="http://x",
        BASE_OPS_LOG_LEVEL="LOUD",
    )

    with running(tmp_path, *up("--port", str(free_port())), environment=bad) as run:
        assert run.process.wait(30) == 1

    for name in ("BASE_OPS_SECRET_KEY", "DATABASE_URL", "MQTT_URL", "BASE_OPS_LOG_LEVEL"):
        assert f"  {name}: " in run.said
    assert "mysql" not in run.said
    assert "Traceback" not in run.said


def test_fresh_without_a_terminal_needs_yes(tmp_path: Path) -> None:
    command = up("--fresh", "--port", str(free_port()))
    with running(tmp_path, *command, environment=settings(tmp_path)) as run:
        assert run.process.wait(30) == 1

    assert "add --yes" in run.said
