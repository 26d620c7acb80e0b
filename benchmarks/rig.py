"""A database of its own for a bench, and the bench in a process that has it from the start."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def alone(module: str) -> list[dict[str, Any]]:
    """Run `python -m module` with an empty PostgreSQL; its last line: a JSON array of results."""
    from base_ops.embedded import postgres

    with tempfile.TemporaryDirectory(prefix="bo-bench-") as folder:
        Path(folder).chmod(0o711)  # the server runs as another account when we are root
        cluster = postgres.Cluster(Path(folder) / "pg")
        with postgres.running(cluster, log=Path(folder) / "pg.log"):
            environment = {
                **os.environ,
                "DATABASE_URL": cluster.url,
                "BASE_OPS_SECRET_KEY": secrets.token_urlsafe(48),
                "BASE_OPS_STATE_DIR": folder,
                "BASE_OPS_LOG_LEVEL": "WARNING",
                "DJANGO_SETTINGS_MODULE": "base_ops.settings",
                "MQTT_URL": "",
            }
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", module], env=environment, stdout=subprocess.PIPE, check=True
            )
    results: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return results


def prepare() -> None:
    """Django, and the tables."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def size(*, full: int, quick: int) -> int:
    """How much to do: all of it, or with BASE_OPS_BENCH_QUICK=1 just enough to see it work."""
    return quick if os.environ.get("BASE_OPS_BENCH_QUICK") == "1" else full


def ratio(ours: float, limit: float) -> float:
    """Ours as a part of the limit."""
    return round(ours / limit, 3)
