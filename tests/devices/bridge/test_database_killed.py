"""kill -9 of PostgreSQL under the bridge: nothing that was acknowledged to the broker is lost."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from base_ops.embedded import postgres
from base_ops.embedded.postgres import Cluster
from tests.brokers import Broker
from tests.devices.bridge import rig
from tests.waiting import eventually

DEVICES = 20
ROUNDS = 30
KILLED_IN_ROUND = 15
_SEED = """
from tests.devices import make
for n in range({n}):
    make.device(code=f"K{{n}}")
"""
_SEEN = """
SELECT count(*) FROM devices_shadow s JOIN devices_device d ON d.id = s.device_id
WHERE d.code LIKE 'K%%' AND s.version = %s AND (s.reported->>'round')::int = %s
"""


def test_nothing_is_lost_when_the_database_is_killed(broker: Broker, state_dir: Path) -> None:
    state_dir.chmod(0o711)
    cluster, log = Cluster(state_dir / "pg"), state_dir / "pg.log"
    environment = os.environ | {
        "DATABASE_URL": cluster.url,
        "BASE_OPS_SECRET_KEY": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "base_ops.settings",
    }
    with postgres.running(cluster, log=log):
        _manage(environment, "migrate", "--verbosity", "0")
        _manage(environment, "shell", "-c", _SEED.format(n=DEVICES))
        bridge = _bridge(broker, environment)
        eventually(lambda: _connected(cluster), 60)
        with rig.party(broker) as devices:
            for version in range(1, KILLED_IN_ROUND + 1):
                _speak(devices, version)
            pid = cluster.server_pid()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            for version in range(KILLED_IN_ROUND + 1, ROUNDS + 1):
                _speak(devices, version)
    try:
        with postgres.running(cluster, log=log):
            eventually(lambda: _seen(cluster) == DEVICES, 60)
            assert bridge.poll() is None  # it waited; nobody had to start it again
            bridge.terminate()
            assert bridge.wait(60) == 0
    finally:
        bridge.kill()
        bridge.wait()


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=True)


def _bridge(broker: Broker, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "manage.py", "run_bridge", "--mqtt", broker.url]
    return subprocess.Popen(argv, env=environment)


def _speak(devices: rig.Party, version: int) -> None:
    for n in range(DEVICES):
        body = {"v": version, "session": "s", "ts": round(time.time() * 1000)}
        devices.say(f"wb1/d/K{n}/state", body | {"state": {"round": version}})


def _connected(cluster: Cluster) -> bool:
    with psycopg.connect(cluster.url) as db:
        return bool(db.execute("SELECT 1 FROM devices_bridgeheartbeat WHERE connected").fetchone())


def _seen(cluster: Cluster) -> int:
    with psycopg.connect(cluster.url) as db:
        row = db.execute(_SEEN, [ROUNDS, ROUNDS]).fetchone()
    return row[0] if row else 0
