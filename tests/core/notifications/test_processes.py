"""The jobs and the web process together: bells ring, messages leave, rivals send nothing twice."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from base_ops import jobs
from base_ops.core import clock
from base_ops.core.models import Delivery, JobSlot, Role
from base_ops.core.notifications import audiences, courier, endpoints
from base_ops.core.notifications import jobs as notices_jobs
from tests import make
from tests.core.notifications import servers, world
from tests.live import client
from tests.waiting import eventually
from tests.web_server import ROOT, database_url, running

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def working() -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py run_jobs`, allowed to send to this machine."""
    env = {**os.environ, "DATABASE_URL": database_url(), "BASE_OPS_WEBHOOK_PRIVATE": "1"}
    process = subprocess.Popen([sys.executable, "manage.py", "run_jobs"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_all_jobs_are_registered() -> None:
    names = {job.name for job in jobs.JOBS}

    assert {job.name for job in notices_jobs.JOBS} <= names


def test_a_notice_rings_the_bell_of_an_open_page_and_leaves_by_webhook(settings: Any) -> None:
    user = make.user(Role.TENANT_ADMIN)
    topic = f"notices.{user.pk}"
    with (
        servers.web() as hook,
        servers.raw(servers.black_hole) as hole,
        running() as server,
        client.page(server, user) as page,
        working(),
    ):
        world.added(user, hook.url, now=clock.now())
        world.added(user, hole, now=clock.now())
        assert page.follow(topic)["t"] == "ok"
        for _ in range(3):
            world.tell(world.people(user.tenant), now=clock.now())  # type: ignore[arg-type]

        eventually(
            lambda: page.hear(60.0) and page.topics[topic]["state"].get("unread") == 3, 60.0
        )
        eventually(lambda: len(hook.heard) == 3, 60.0)
        eventually(lambda: Delivery.objects.filter(status="sent").count() == 3, 60.0)

    assert page.topics[topic]["state"]["latest"]["kind"] == "waitlist.offer_expired"
    ours = JobSlot.objects.filter(job__startswith="notifications.")
    assert ours.exists()
    assert not ours.exclude(error="").exists()


def test_what_a_killed_jobs_process_had_taken_is_sent_by_the_next() -> None:
    user = make.user(Role.TENANT_ADMIN)
    with servers.web() as hook:
        with servers.raw(servers.black_hole) as hole:
            endpoint = world.added(user, hole, now=clock.now())
            with working() as process:
                world.tell(audiences.TenantPeople(user.tenant_id or 0), now=clock.now())
                eventually(
                    lambda: Delivery.objects.filter(claimed_until__isnull=False).exists(), 60.0
                )
                process.kill()
        endpoints.change(
            user=user, code=endpoint.code, changes={"url": hook.url},
            check=lambda version: None, now=clock.now(),
        )  # fmt: skip
        lease = Delivery.objects.get().claimed_until
        assert lease is not None
        world.sent(lease)

    row = Delivery.objects.get()
    assert (row.status, row.attempts, len(hook.heard)) == ("sent", 2, 1)


def test_nobody_else_may_follow_it() -> None:
    user, other = make.user(), make.user(Role.ADMIN)
    with running() as server, client.page(server, other) as page:
        answer = page.follow(f"notices.{user.pk}")

    assert answer["t"] == "err"


def test_rival_couriers_on_connections_of_their_own_send_each_message_once() -> None:
    user, now = make.user(Role.TENANT_ADMIN), clock.now()
    with servers.web() as hook:
        for _ in range(4):
            world.added(user, hook.url, now=now)
        for _ in range(25):
            world.told(audiences.TenantPeople(user.tenant_id or 0), now=now)
        start = threading.Barrier(4)

        def rival() -> None:
            carrier = courier.Courier()
            start.wait()
            while Delivery.objects.filter(status="waiting").exists():
                carrier.run(now)
            carrier.finish(now, timeout_s=world.ENDS_S)
            connection.close()

        rivals = [threading.Thread(target=rival) for _ in range(4)]
        for thread in rivals:
            thread.start()
        for thread in rivals:
            thread.join()

    assert Delivery.objects.filter(status="sent", attempts=1).count() == 100
    times = Counter(h.headers["webhook-id"] for h in hook.heard)
    assert (len(times), set(times.values())) == (100, {1})
