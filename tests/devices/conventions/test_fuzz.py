"""Whatever strangers send, only a refusal with a reason comes of it.

BASE_OPS_FUZZ_MESSAGES sets how many messages; 1,000,000 take about two minutes of one core.
"""

import os
import resource
import sys
import time

import pytest

from tests.devices.conventions.fuzz import Fuzz

MESSAGES = int(os.environ.get("BASE_OPS_FUZZ_MESSAGES", "20000"))


def _resident_kib() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_bent_messages_are_refused_or_understood_and_cost_little(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fuzz = Fuzz(seed=20_260_501)
    fuzz.send(MESSAGES // 10)  # from here on memory must stay flat
    before_kib = _resident_kib()
    begun, slowest = time.thread_time(), 0.0
    for _ in range(MESSAGES // 100 * 9 // 10):
        turn = time.thread_time()
        fuzz.send(100)
        slowest = max(slowest, time.thread_time() - turn)
    spent = time.thread_time() - begun
    grown_mib = (_resident_kib() - before_kib) / 1024

    with capsys.disabled():
        per_million = spent / (MESSAGES * 0.9) * 1_000_000
        sys.stdout.write(
            f" {MESSAGES} messages, a million would take {per_million:.0f} s of CPU;"
            f" understood {fuzz.accepted}, refused {dict(sorted(fuzz.refused.items()))},"
            f" memory grew by {grown_mib:.0f} MiB\n"
        )
    assert slowest < 5
    assert grown_mib < 64
    assert fuzz.accepted > MESSAGES / 4
    assert {"bad-discovery", "not-json", "bad-template", "bad-value"} <= fuzz.refused.keys()
