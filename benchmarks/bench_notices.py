"""How soon what was told arrives, by the real jobs process: at the bell, and at a webhook.

The webhook's time is taken twice in one run: alone (`limit`), and beside twenty black holes that
take connections and never answer (`ours`). The bell's is from the commit of the deed to the commit
of the live change; a second was promised.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import rig

ROUNDS = 40
HOLES = 20
PATIENCE_S = 60.0


def run() -> list[dict[str, Any]]:
    """Measure with a database that nobody else has."""
    return rig.alone("benchmarks.bench_notices")


def measure() -> list[dict[str, Any]]:
    """The median and worst of the bell, the median of the webhook alone and beside black holes."""
    from base_ops.core.models import Role
    from tests import make
    from tests.core.notifications import servers

    user = make.user(Role.TENANT_ADMIN)
    with servers.web() as hook, _jobs(), ExitStack() as stack:
        _added(user, hook.url)
        _round(user, hook)  # the process is up
        bells, alone = zip(*(_round(user, hook) for _ in range(ROUNDS)), strict=True)
        for _ in range(HOLES):
            _added(user, stack.enter_context(servers.raw(servers.black_hole)))
        more, beside = zip(*(_round(user, hook) for _ in range(ROUNDS)), strict=True)
    times = sorted([*bells, *more])
    return [
        _result("bell, median", statistics.median(times), 1.0),
        _result("bell, worst", times[-1], 1.0),
        _result(
            "webhook beside 20 black holes", statistics.median(beside), statistics.median(alone)
        ),
    ]


def _round(user: Any, hook: Any) -> tuple[float, float]:
    """Seconds from one deed to the bell, and to the webhook."""
    from base_ops.core import clock, live, notifications

    topic, heard = f"notices.{user.pk}", len(hook.heard)
    seq = live.state(topic)[1]
    now = clock.now()
    notifications.tell(
        kind="waitlist.offer_expired",
        audience=notifications.TenantPeople(user.tenant_id),
        params={"space": {"zh": "直播间", "en": "Studio"}, "starts_at": now},
        dedup=now.isoformat(),
        now=now,
    )
    started = time.perf_counter()
    bell = _until(lambda: live.state(topic)[1] > seq, started)
    return bell, _until(lambda: len(hook.heard) > heard, started)


def _until(done: Any, started: float) -> float:
    while not done():
        if time.perf_counter() - started > PATIENCE_S:
            raise TimeoutError("the jobs process tells nobody")
        time.sleep(0.003)
    return time.perf_counter() - started


def _added(user: Any, url: str) -> None:
    """An endpoint beyond the number that a tenant may have by the API."""
    from base_ops.core import clock
    from base_ops.core.models import Endpoint
    from base_ops.core.notifications import packing, sealing, signatures

    row = Endpoint(
        code=f"EP{Endpoint.objects.count():08d}", kind="webhook", tenant=user.tenant, name="bench",
        language="zh", created_at=clock.now(),
    )  # fmt: skip
    row.url_sealed = sealing.seal(url, place=packing.place(row, packing.URL))
    secret = signatures.new_secret()
    row.secret_sealed = sealing.seal(secret, place=packing.place(row, packing.SECRET))
    row.save()


@contextmanager
def _jobs() -> Iterator[None]:
    """The jobs process, allowed to send to this machine."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_jobs"],
        env={**os.environ, "BASE_OPS_WEBHOOK_PRIVATE": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _result(name: str, ours: float, limit: float) -> dict[str, Any]:
    return {
        "name": f"notices: {name}",
        "ours": round(ours, 3),
        "limit": round(limit, 3),
        "ratio": rig.ratio(ours, limit),
        "unit": "s",
    }


if __name__ == "__main__":
    os.environ["BASE_OPS_WEBHOOK_PRIVATE"] = "1"
    rig.prepare()
    print(json.dumps(measure()))  # noqa: T201 - the bench reads the last line
