"""What is announced is kept within bounds; what is withdrawn is gone, or an orphan."""

from datetime import datetime
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from devices.domain.conventions import filters
from devices.domain.conventions.convention import About, Announced, Announcement
from devices.models import Device, Foreign, ForeignDocument, RegistrySettings
from devices.services import foreign
from devices.services.foreign import Word
from tests.devices import make
from tests.devices.registry.calls import Caller

pytestmark = pytest.mark.django_db
HA = "homeassistant"


def switch(n: int, **more: Any) -> dict[str, Any]:
    """A document as Home Assistant's discovery leaves it."""
    config = {"platform": "switch", "unique_id": f"s{n}", "command_topic": f"s{n}/set"} | more
    return {
        "device": {"identifiers": [f"s{n}"]},
        "components": {f"s{n}": config},
        "single": True,
        "place": f"s{n}",
    }


def word(topic: str, *keys: int, moving: bool = False, **more: Any) -> Word:
    devices = tuple(
        Announced(f"s{n}", switch(n, **more), About(kind="power_outlet", model="M")) for n in keys
    )
    return Word(HA, Announcement(topic, devices, moving))


def topic(n: int) -> str:
    return f"homeassistant/switch/s{n}/config"


def codes() -> list[str]:
    return list(Device.objects.order_by("code").values_list("code", flat=True))


def test_a_topic_replaces_all_that_it_said_before(now: datetime) -> None:
    foreign.announced([word("hub/devices", 1, 2)], now)
    assert codes() == ["ha-s1", "ha-s2"]

    foreign.announced([word("hub/devices", 2, 3)], now)

    assert codes() == ["ha-s2", "ha-s3"]


def test_the_same_said_again_changes_nothing(now: datetime) -> None:
    assert foreign.announced([word(topic(1), 1)], now)

    assert foreign.announced([word(topic(1), 1)], now) == set()


def test_an_announcement_on_the_move_is_kept_until_it_is_withdrawn(now: datetime) -> None:
    foreign.announced([word(topic(1), 1)], now)

    foreign.announced([word(topic(1), moving=True)], now)
    between = codes()
    foreign.announced([word(topic(1))], now)

    assert (between, codes()) == (["ha-s1"], [])


def test_a_flood_of_announcements_stops_at_the_cap(now: datetime) -> None:
    RegistrySettings.objects.create(max_waiting=5)

    foreign.announced([word(topic(n), n) for n in range(50)], now)

    assert len(codes()) == 5
    assert ForeignDocument.objects.count() == 5


def test_no_device_leaves_more_than_so_many_or_so_long_documents(now: datetime) -> None:
    foreign.announced([word(f"homeassistant/switch/s1/e{n}/config", 1) for n in range(200)], now)
    foreign.announced([word(topic(2), 2, name="x" * 40_000)], now)

    assert ForeignDocument.objects.filter(device__code="ha-s1").count() == 128
    assert not ForeignDocument.objects.filter(device__code="ha-s2").exists()


def test_a_document_that_cannot_be_bound_says_why(now: datetime) -> None:
    bad = Announced("s1", switch(1, command_topic=None), About())
    foreign.announced([Word(HA, Announcement(topic(1), (bad,)))], now)

    assert "command_topic" in Foreign.objects.get().fault
    assert Foreign.objects.get().able == {}


def test_codes_are_readable_and_tell_keys_apart() -> None:
    assert foreign.code_of(HA, "0x0017880104e45724") == "ha-0x0017880104e45724"
    strange = [foreign.code_of("wled", key) for key in ("a/b", "a b", "", "灯", "x" * 300)]
    assert len(set(strange)) == 5
    assert all(len(code) <= 64 and code.startswith("wled-") for code in strange)


def test_announcements_and_ghosts_over_http() -> None:
    now = clock.now()
    foreign.announced([word("hub/devices", 1, 2), word(topic(3), 3)], now)
    wb1 = make.device()
    who = Caller(Role.TECHNICIAN)
    sure = {"confirm": True, "why": "left the base"}

    shown = who.get("/devices/ha-s1/announcements")
    nothing = who.get(f"/devices/{wb1.code}/announcements")
    unsure = who.post("/devices/ha-s3/ghosts", {"confirm": False, "why": "x"})
    shared = who.post("/devices/ha-s1/ghosts", sure)
    serving = who.post(f"/devices/{wb1.code}/ghosts", sure)
    done = who.post("/devices/ha-s3/ghosts", sure)

    assert (shown[0], shown[1]["convention"], shown[1]["documents"][0]["topic"]) == (
        200, HA, "hub/devices",
    )  # fmt: skip
    assert (nothing[0], nothing[1]["code"]) == (404, "nothing_announced")
    assert unsure[0] == 422
    assert (shared[0], shared[1]["code"]) == (409, "shared_announcement")
    assert (serving[0], serving[1]["code"]) == (409, "still_serving")
    assert (done[0], done[1]) == (202, {"topics": 1})
    assert [t for _, t in foreign.ghosts()] == [topic(3)]


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("+/b", "a/b", True),
        ("+/b", "a/b/c", False),
        ("a/+", "a/#", False),
        ("a/#", "a/+/c", True),
        ("a/b", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
    ],
)
def test_what_a_filter_covers(pattern: str, name: str, expected: bool) -> None:
    assert filters.covers(pattern, name) is expected


def test_no_filter_is_subscribed_to_that_another_covers() -> None:
    found = filters.fewest(["a/#", "a/b", "a/+/c", "x/y", "x/+", "z"])

    assert found == {"a/#", "x/+", "z"}
