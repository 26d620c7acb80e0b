"""Recorded exchanges through the real bridge and a real broker, and what became of each."""

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping

import pytest

from devices.domain.conventions.homeassistant import HomeAssistant
from devices.models import Command, Device, Foreign, ForeignDocument, Shadow, Telemetry
from tests.brokers import Broker
from tests.devices.bridge import rig
from tests.devices.conventions import vectors
from tests.devices.conventions.refusals import OURS, REFUSED
from tests.devices.foreign import live
from tests.devices.foreign.live import Live, LiveWorld
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)


NOT_OVER_THE_WIRE = {
    "avail_broker_lost_with_topic": "the embedded broker forgets what it kept when it is killed;"
    " the loss of the line is tried with the binding alone",
}


def run_all(names: list[str], broker: Broker) -> Mapping[str, Counter[str]]:
    """What became of the vectors of each file; one bridge and one broker for all of them."""
    report: dict[str, Counter[str]] = {}
    failed: list[str] = []
    with live.quick(), Live(broker, HomeAssistant()).running() as world:
        for name in names:
            for vector in vectors.load(name):
                if vector["id"] in NOT_OVER_THE_WIRE:
                    continue
                outcome = "refused on purpose" if vector["id"] in REFUSED else "pass"
                try:
                    vectors.run(vector, LiveWorld(world), OURS.get(vector["id"], {}))  # type: ignore[arg-type]
                except AssertionError as exc:
                    outcome = "failed"
                    failed.append(f"{name} {vector['id']}: {str(exc)[:600]}")
                report.setdefault(name, Counter())[outcome] += 1
                world.clean()
    assert not failed, "\n".join(failed)
    return report


@pytest.mark.parametrize(
    "names",
    [
        ["ha_availability", "ha_camera", "ha_control"],
        ["ha_discovery", "ha_light"],
        ["ha_sensor", "third_party"],
        ["z2m"],
    ],
    ids=lambda names: "+".join(names),
)
def test_a_recorded_exchange_means_the_same_over_the_wire(
    names: list[str], broker: Broker
) -> None:
    report = run_all(names, broker)

    for name, counts in report.items():
        wanted = [v["id"] for v in vectors.load(name) if v["id"] not in NOT_OVER_THE_WIRE]
        refused = sum(vector in REFUSED for vector in wanted)
        assert counts == Counter(
            {"pass": len(wanted) - refused} | ({"refused on purpose": refused} if refused else {})
        )
        logger.info("vectors.report", extra={"file": name, **counts})


def test_a_flood_of_announcements_fills_the_quarantine_and_does_nothing_else(
    broker: Broker,
) -> None:
    corpus = vectors.load("z2m_discovery_corpus")
    with rig.party(broker) as anyone, rig.bridge(broker) as bridge:
        eventually(lambda: bridge.foreign.ready)
        begun = time.monotonic()
        for message in corpus:
            payload = message["payload"]
            body = payload if isinstance(payload, str) else json.dumps(payload)
            anyone.client.publish(message["topic"], body.encode(), qos=1, retain=True)
        eventually(
            lambda: ForeignDocument.objects.count() == len(corpus) == 465, timeout_s=30,
            why="all announcements",
        )  # fmt: skip
        took_s = time.monotonic() - begun
        eventually(lambda: bridge.foreign.at_rest, timeout_s=20)

        assert took_s < 30
        found = Device.objects.all()
        assert {(d.status, d.convention) for d in found} == {("quarantine", "homeassistant")}
        assert found.count() == 69
        assert Foreign.objects.exclude(able={}).count() == 54
        assert not bridge.tally.refused
        assert not bridge.foreign.interpreter.bound
        assert not Command.objects.exists()
        assert not Shadow.objects.exists()
        assert not Telemetry.objects.filter(device__in=found).exists()
        logger.info("flood.quarantined", extra={"seconds": round(took_s, 2)})
