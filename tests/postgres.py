"""One real PostgreSQL for a pytest run, and more for tests that kill theirs."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from base_ops.embedded import postgres

_PREFIX = "base-ops-test-pg-"


@contextlib.contextmanager
def ephemeral(*, durable: bool = False) -> Iterator[str]:
    """A server in a directory of its own; yields its DATABASE_URL and leaves nothing behind.

    Args:
        durable: keep fsync on, for tests that kill the server.
    """
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    directory.chmod(0o711)  # the server runs as another account when we are root
    extra = {} if durable else postgres.FAST_AND_UNSAFE
    try:
        cluster = postgres.Cluster(directory / "cluster", extra=extra)
        with postgres.running(cluster, log=directory / "server.log"):
            yield cluster.url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _sweep() -> None:
    """Remove the directories of runs that were killed; their servers died with them."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)
