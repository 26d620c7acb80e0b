"""`manage.py run_gateway` as a process: it leaves politely, and a kill costs no end of a show."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from base_ops.core import clock
from devices.gateway.drivers import obs as driver
from tests.brokers import Broker
from tests.devices.bridge import rig as bridges
from tests.devices.gateway import rig
from tests.devices.gateway.peers import obs
from tests.devices.gateway.peers.loops import Loop
from tests.waiting import eventually

CONFIG = """
[targets."booking:*"]
url = "rtmp://live.example.cn/app"
key = {{ env = "KEY" }}

[[gear]]
code = "ENC-1"
driver = "obs"
model = "ENC-1CH"
host = "127.0.0.1"
port = {port}
poll_s = 0.2
password = {{ env = "PW" }}
"""


@contextlib.contextmanager
def process(broker: Broker, folder: Path, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | rig.SECRETS | {"BASE_OPS_STATE_DIR": str(folder)}
    argv = [sys.executable, "manage.py", "run_gateway", "--mqtt", broker.url]
    with subprocess.Popen([*argv, "--config", str(file)], env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def statuses(party: bridges.Party) -> list[bool]:
    return [body["online"] for body in party.bodies("$status")]


def test_a_show_ends_on_time_though_the_gateway_was_killed_and_it_leaves_politely(
    broker: Broker, peers: Loop, tmp_path: Path
) -> None:
    studio = obs.Studio()
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(port=peers.call(obs.start(studio))))
    with bridges.party(broker, listen="wb1/d/ENC-1/#") as anyone:
        with process(broker, tmp_path, file) as first:
            eventually(lambda: True in statuses(anyone), 60)
            until = round((clock.now() + timedelta(seconds=4)).timestamp() * 1000)
            state = {"run": "live", "target_ref": "booking:1", "until": until}
            order = {"id": "X1", "exp": 4_000_000_000_000, "op": "set", "state": state}
            anyone.say("wb1/d/ENC-1/cmd", order)
            eventually(lambda: studio.active)
            first.send_signal(signal.SIGKILL)
            first.wait(30)
        eventually(lambda: statuses(anyone)[-1] is False)  # the broker, in its name

        with process(broker, tmp_path, file) as second:
            eventually(lambda: not studio.active and not studio.service["key"], 60)
            assert clock.now().timestamp() * 1000 >= until
            eventually(lambda: statuses(anyone)[-1] is True)
            second.send_signal(signal.SIGTERM)
            assert second.wait(60) == 0
        eventually(lambda: statuses(anyone)[-1] is False)


def test_a_defect_in_one_driver_leaves_the_other_gear_alone(
    broker: Broker, peers: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [peers.call(obs.start(obs.Studio())) for _ in range(2)]
    parts: list[dict[str, Any]] = [
        {
            "code": f"ENC-{port}",
            "driver": "obs",
            "model": "ENC-1CH",
            "host": "127.0.0.1",
            "port": port,
            "password": {"env": "PW"},
            "poll_s": 0.1,
        }
        for port in ports
    ]
    read = driver.Encoder.read

    async def broken(self: driver.Encoder) -> Any:
        if str(ports[0]) in self._access.url:
            raise ZeroDivisionError("a defect of ours")
        return await read(self)

    monkeypatch.setattr(driver.Encoder, "read", broken)
    with rig.gateway(broker, tmp_path, parts) as gateway:
        good, bad = gateway.by_code(f"ENC-{ports[1]}"), gateway.by_code(f"ENC-{ports[0]}")
        eventually(lambda: good.linked)

        assert not bad.linked
        assert json.loads(bad.announce()[0].payload)["online"] is False
