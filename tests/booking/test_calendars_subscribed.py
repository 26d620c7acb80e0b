"""A real CalDAV client subscribes to a feed of a really running web process."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest

from base_ops.core import clock
from base_ops.core.models import Role, User
from billing import importers
from booking import services
from booking.domain.rules import ceil_to_grid
from booking.models import Booking
from tests import make
from tests.billing.data import demo
from tests.booking import world
from tests.web_server import WebServer, running

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG = """
[general]
status_path = "{folder}/status/"

[pair base]
a = "feed"
b = "disk"
collections = null
conflict_resolution = "a wins"

[storage feed]
type = "http"
url = "{url}"

[storage disk]
type = "filesystem"
path = "{folder}/events/"
fileext = ".ics"
"""


@pytest.fixture
def server(db: None) -> Iterator[WebServer]:
    importers.load({**demo(), "tenants": [], "training_programmes": []})
    with running() as started:
        yield started


class Subscriber:
    """vdirsyncer with a folder of its own, run as its users run it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "events").mkdir()
        (folder / "config").write_text(CONFIG.format(folder=folder, url=url), encoding="utf-8")
        self.run("discover")

    def run(self, *command: str, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "vdirsyncer", "-c", str(self.folder / "config"), *command],
            capture_output=True, text=True, timeout=120, check=False, input="",
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sync(self) -> dict[str, Any]:
        """Sync; what lies on the disk then, by booking (it gives events UIDs of its own)."""
        self.run("sync")
        found: dict[str, Any] = {}
        for file in (self.folder / "events").iterdir():
            (event,) = icalendar.Calendar.from_ical(file.read_bytes()).walk("VEVENT")
            found[str(event["URL"]).rpartition("/")[2]] = event
        return found


def booked(user: User, *, hours: int, title: str, space: Any) -> Booking:
    assert user.tenant is not None
    start = ceil_to_grid(clock.now() + timedelta(hours=hours), 30)
    wish = services.BookingWish(
        space=space, tenant=user.tenant, span=world.span(start), headcount=2, title=title
    )
    return services.book(wish=wish, actor=user.actor, hold=False, now=clock.now())


def test_a_caldav_client_subscribes_and_sees_each_change(
    server: WebServer, tmp_path: Path
) -> None:
    member, space = make.user(Role.TENANT_MEMBER), world.studio()
    first = booked(member, hours=3, title="直播带货🎥" * 20, space=space)
    second = booked(member, hours=6, title="第二场", space=space)
    with server.client(member) as http:
        made = http.post(
            "/api/v1/calendar-feeds", json={"name": "我的日历", "scope": "tenant"},
            headers={"Idempotency-Key": "subscribe-1"},
        ).json()  # fmt: skip
    assert made["url"].startswith(server.url)
    subscriber = Subscriber(tmp_path, made["url"])

    before = subscriber.sync()
    services.amend(
        booking=second, actor=member.actor, title="改名后", purpose=None, headcount=None,
        now=clock.now(),
    )  # fmt: skip
    services.cancel(booking=first, actor=member.actor, now=clock.now())
    third = booked(member, hours=9, title="第三场", space=space)
    after = subscriber.sync()

    def said(events: dict[str, Any]) -> dict[str, tuple[str, str]]:
        return {code: (str(e["SUMMARY"]), str(e["STATUS"])) for code, e in events.items()}

    assert said(before) == {
        first.code: ("直播带货🎥" * 20, "CONFIRMED"),
        second.code: ("第二场", "CONFIRMED"),
    }
    assert said(after) == {
        first.code: ("直播带货🎥" * 20, "CANCELLED"),
        second.code: ("改名后", "CONFIRMED"),
        third.code: ("第三场", "CONFIRMED"),
    }
    assert after[second.code]["SEQUENCE"] > before[second.code]["SEQUENCE"]

    with server.client(member) as http:
        http.delete(f"/api/v1/calendar-feeds/{made['id']}").raise_for_status()
    assert "Not Found" in subscriber.run("sync", expect=1)
