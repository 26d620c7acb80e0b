"""What a base consists of, as things to run."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from base_ops.embedded import broker
from base_ops.embedded.postgres import Cluster
from base_ops.supervisor.child import Spec

ROOT = Path(__file__).resolve().parents[2]
APPS = ("bridge", "jobs")


def postgres(cluster: Cluster) -> Spec:
    """The embedded server; SIGINT is its fast shutdown."""
    return Spec(
        name="postgres",
        command=cluster.command(),
        before_exec=cluster.before_exec(),
        before_start=cluster.forget_dead_server,
        stop_with=signal.SIGINT,
        stage=0,
    )


def mqtt_broker(folder: Path, port: int) -> Spec:
    """The embedded broker."""
    return Spec(name="broker", command=broker.command(folder, port), stage=1)


def manage(name: str, *words: str, environment: Mapping[str, str], once: bool = False) -> Spec:
    """A management command of ours."""
    return Spec(
        name=name,
        command=[sys.executable, str(ROOT / "manage.py"), *words],
        environment={"PYTHONUNBUFFERED": "1", **environment},
        once=once,
    )


def web(host: str, port: int, environment: Mapping[str, str]) -> Spec:
    """The web process."""
    return manage("web", "run_web", "--host", host, "--port", str(port), environment=environment)
