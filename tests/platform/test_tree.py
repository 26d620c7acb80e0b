"""The supervisor with real child processes."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.bases import Run, alive, descendants, running
from tests.waiting import eventually

LONGEST_STOP_S = 5.0


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Run]:
    with running(tmp_path, "-m", "tests.platform.family", str(tmp_path)) as run:
        for name in ("steady", "stubborn", "parent"):
            run.wait_for(rf"^{name} +\| I am \d+")
        yield run


def pid_of(run: Run, name: str, times: int = 1) -> int:
    pattern = rf"(?:^{name} +\| I am (\d+)[^\0]*?){{{times}}}"
    return int(run.wait_for(pattern)[1])


def test_a_killed_child_is_reported_and_started_again(family: Run) -> None:
    first = pid_of(family, "steady")

    os.kill(first, signal.SIGKILL)

    family.wait_for(r"steady ended \(killed by SIGKILL\), starting again in 0.3 s")
    assert pid_of(family, "steady", times=2) != first


def test_what_a_killed_child_leaves_behind_is_ended(family: Run) -> None:
    found = family.wait_for(r"^parent +\| I am (\d+) with (\d+)")
    parent, grandchild = int(found[1]), int(found[2])

    os.kill(parent, signal.SIGKILL)

    eventually(lambda: not alive(grandchild), why="the grandchild lives on")


def test_a_crash_loop_waits_longer_each_time_and_is_reported(family: Run) -> None:
    family.wait_for(r"hasty ended \(exit code 3\), starting again in 1.2 s")
    family.wait_for(r"hasty keeps dying \(5 times in a row\). Its last lines:\n.*I give up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_within_five_seconds(family: Run, number: signal.Signals) -> None:
    everybody = descendants(family.process.pid)
    began = time.monotonic()

    code = family.end(number)

    assert code == 0
    assert time.monotonic() - began < LONGEST_STOP_S
    assert len(everybody) >= 4
    assert not [pid for pid in everybody if alive(pid)]
    assert "stubborn did not stop in 1.5 s, killing it" in family.said


def test_kill_9_of_the_supervisor_ends_the_children(family: Run) -> None:
    children = {pid_of(family, name) for name in ("steady", "stubborn", "parent")}
    everybody = descendants(family.process.pid)

    family.end(signal.SIGKILL)

    eventually(lambda: not any(alive(pid) for pid in children), why="children live on")
    # Nobody is left to end what a child started in a session of its own: the test clears it away.
    for pid in everybody:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
