"""Run tests many times, each in a process of its own that was forked when all was loaded.

`python -m tests.booking.controls` reads jobs as JSON from its input, runs as many at a time as it
was given databases, and writes what each printed and how it ended.
"""

import json
import os
import sys
import tempfile
import traceback
from importlib.metadata import entry_points
from typing import Any

from tests.booking import mutants

LOADED_BEFORE = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
OPTIONS = [
    "--reuse-db", "--nomigrations", "-q", "--tb=line", "-p", "no:cacheprovider",
    "-W", LOADED_BEFORE,
]  # fmt: skip


def main() -> None:
    """Load the project, fork, collect."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()
    import base_ops.urls  # noqa: F401 - the slow part of the first request

    for plugin in entry_points(group="pytest11"):
        plugin.load()

    asked = json.load(sys.stdin)
    waiting, free = list(asked["jobs"]), list(asked["databases"])
    running: dict[int, tuple[Any, str, Any]] = {}
    found = []
    while waiting or running:
        while waiting and free:
            job, database = waiting.pop(), free.pop()
            output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed where it is read
            running[_forked(job, database, output)] = (job, database, output)
        child, status = os.wait()
        job, database, output = running.pop(child)
        free.append(database)
        output.seek(0)
        ended = os.waitstatus_to_exitcode(status)
        found.append({"without": job["without"], "code": ended, "said": output.read()})
        output.close()
    json.dump(found, sys.stdout)


def _forked(job: dict[str, Any], database: str, output: Any) -> int:
    """A child that runs the tests of one job."""
    child = os.fork()
    if child:
        return child
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    code = 9
    try:
        code = _tests(job, database)
    except BaseException:  # noqa: BLE001 - outermost: the parent is told
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tests(job: dict[str, Any], database: str) -> int:
    import pytest
    from django.db import connection

    connection.settings_dict["NAME"] = database.removeprefix("test_")
    os.environ[mutants.VARIABLE] = job["without"]
    plugin = ["-p", "tests.booking.mutants"] if job["without"] else []
    return int(pytest.main([*plugin, *OPTIONS, *job["tests"]]))


if __name__ == "__main__":
    main()
