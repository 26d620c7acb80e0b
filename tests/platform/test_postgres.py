"""The embedded PostgreSQL: start, stop, crash."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from base_ops.embedded import postgres
from base_ops.embedded.postgres import Cluster
from tests.platform.bases import alive
from tests.waiting import eventually


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """One made cluster; each test starts it."""
    folder = tmp_path_factory.mktemp("pg")
    made = Cluster(folder / "cluster")
    made.prepare()
    return made


def test_it_serves_keeps_its_data_and_leaves_no_process(cluster: Cluster, tmp_path: Path) -> None:
    with postgres.running(cluster, log=tmp_path / "log"):
        pid = cluster.server_pid()
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("CREATE EXTENSION btree_gist")
            version = connection.execute("SHOW server_version_num").fetchone()
    assert pid is not None
    assert not alive(pid)

    with (
        postgres.running(cluster, log=tmp_path / "log"),
        psycopg.connect(cluster.url) as connection,
    ):
        kept = connection.execute("SELECT count(*) FROM kept").fetchone()

    assert version is not None
    assert int(version[0]) >= 180000
    assert kept == (0,)


def test_only_its_own_account_may_come_near(cluster: Cluster) -> None:
    modes = [stat.S_IMODE(d.stat().st_mode) for d in (cluster.data, cluster.socket_dir)]

    assert modes == [0o700, 0o700]
    if os.geteuid() == 0:
        assert cluster.data.stat().st_uid != 0


def test_what_was_committed_survives_kill_9(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with postgres.running(cluster, log=log):
        connection = psycopg.connect(cluster.url, autocommit=True)
        connection.execute("CREATE TABLE IF NOT EXISTS answers (n int)")
        connection.execute("INSERT INTO answers VALUES (42)")
        pid = cluster.server_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()

    with postgres.running(cluster, log=log), psycopg.connect(cluster.url) as again:
        found = again.execute("SELECT n FROM answers").fetchone()

    assert found == (42,)


def test_a_pid_file_of_another_process_does_not_stop_the_start(
    cluster: Cluster, tmp_path: Path
) -> None:
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n0\n5432\n")

    with postgres.running(cluster, log=tmp_path / "log"):
        assert cluster.server_pid() not in {None, os.getpid()}


def test_tcp_asks_for_the_password(tmp_path: Path, unused_tcp_port: int) -> None:
    cluster = Cluster(tmp_path / "c", port=unused_tcp_port, password="a b/ü")

    with postgres.running(cluster, log=tmp_path / "log"):
        with psycopg.connect(cluster.tcp_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(cluster.tcp_url.replace("a%20b", "wrong"))


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = Cluster(tmp_path / ("x" * 90) / "cluster")

    assert len(str(deep.socket_dir / ".s.PGSQL.5432.lock")) < 104


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "c", extra={"shared_buffers": "nonsense"})

    with (
        pytest.raises(postgres.PostgresFailed, match="shared_buffers"),
        postgres.running(cluster, log=tmp_path / "log"),
    ):
        pass


def test_the_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, signal; from pathlib import Path; from base_ops.embedded import postgres\n"
        "folder = Path(sys.argv[1]); cluster = postgres.Cluster(folder / 'c')\n"
        "with postgres.running(cluster, log=folder / 'log'):\n"
        "    print(cluster.server_pid(), flush=True); signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())

        starter.kill()

        eventually(lambda: not alive(pid), why="PostgreSQL lives on")
