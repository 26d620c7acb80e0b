"""Who may connect to the broker: mosquitto's own files, and mosquitto itself."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from paho.mqtt.enums import CallbackAPIVersion

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Role
from base_ops.embedded import accounts as embedded
from devices.broker import files
from devices.domain import accounts
from devices.domain.accounts import Kind
from devices.models import BrokerAccount
from devices.services import accounts as services
from tests.brokers import free_port, mosquitto
from tests.devices import make
from tests.devices.test_api import caller
from tests.waiting import eventually

MOSQUITTO = mosquitto()
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not on this machine")
RIGHTS_S = 30.0  # five on a machine that is not busy


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "a\nb",
        "wb1/d/LIGHT-1/state",
        "#",
        "+/d/x",
        "a#",
        "a/#/b",
        "a/b+",
        "$SYS/#",
        " a",
        "x" * 201,
    ],
)
def test_a_filter_that_is_none_or_reaches_our_devices_is_refused(topic: str) -> None:
    with pytest.raises(accounts.BadTopics) as refused:
        accounts.check_topics("writes", [topic])

    assert refused.value.fields[0].name == "writes"


def test_a_hash_is_what_mosquitto_itself_would_write() -> None:
    line = accounts.hashed("a secret", b"0123456789ab")

    assert line.startswith("$7$1000$MDEyMzQ1Njc4OWFi$")
    assert accounts.matches("a secret", line)
    assert not accounts.matches("another", line)


@pytest.mark.django_db
def test_a_device_gets_one_account_and_its_secret_is_kept_nowhere(now: datetime) -> None:
    device = make.device()
    first = services.issue_for_device(device=device, actor=SYSTEM, now=now)
    second = services.issue_for_device(device=device, actor=SYSTEM, now=now)

    row = BrokerAccount.objects.get(device=device)
    assert accounts.matches(second, row.password_hash)
    assert not accounts.matches(first, row.password_hash)
    services.revoke(name=device.code, actor=SYSTEM, now=now)
    assert services.entries() == []


@pytest.mark.django_db
def test_a_simulated_fleet_shares_a_password_but_takes_no_device_its_own(now: datetime) -> None:
    own, simulated = make.device(), make.device()
    make.device(status="retired")
    secret = services.issue_for_device(device=own, actor=SYSTEM, now=now)

    assert services.issue_for_fleet(password="of the fleet", now=now) == 1
    assert services.issue_for_fleet(password="of the fleet", now=now) == 0
    hashes = {entry.name: entry.password_hash for entry in services.entries()}
    assert accounts.matches(secret, hashes[own.code])
    assert accounts.matches("of the fleet", hashes[simulated.code])


@pytest.mark.django_db
def test_a_program_cannot_take_the_name_of_a_device(now: datetime) -> None:
    device = make.device()

    with pytest.raises(services.NameTaken):
        services.issue_for_program(name=device.code, kind=Kind.BASE, actor=SYSTEM, now=now)
    with pytest.raises(CommandError, match="bad_topics"):
        call_command("broker_config", "issue", "zigbee2mqtt", "--writes", "wb1/#")


@pytest.mark.django_db
def test_files_are_written_whole_and_only_when_they_say_something_new(
    tmp_path: Path, now: datetime
) -> None:
    services.issue_for_device(device=make.device(), actor=SYSTEM, now=now)

    assert files.write_accounts(tmp_path)
    assert not files.write_accounts(tmp_path)
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"passwords", "acl"}


def test_a_number_that_another_program_bears_by_now_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "mosquitto.pid").write_text(str(other.pid))

        assert not files.reload(tmp_path / "mosquitto.pid")
        assert not files.reload(tmp_path / "none.pid")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@dataclass
class Client:
    """A connection of somebody, and what became of it."""

    client: mqtt.Client
    connected: threading.Event = field(default_factory=threading.Event)
    refused: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    heard: list[str] = field(default_factory=list)


@contextmanager
def connected(port: int, name: str, password: str, ca: Path | None = None) -> Iterator[Client]:
    """Try to connect; the caller looks at how it went."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    found = Client(client)
    client.username_pw_set(name, password)
    if ca is not None:
        client.tls_set(str(ca), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_connect = lambda c, u, f, reason, p: (
        found.refused if reason.is_failure else found.connected
    ).set()
    client.on_disconnect = lambda c, u, f, reason, p: found.gone.set()
    client.on_message = lambda c, u, message: found.heard.append(message.topic)
    client.reconnect_delay_set(60, 60)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield found
    finally:
        client.loop_stop()
        client.disconnect()


@pytest.fixture
def base(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, int, Path]]:
    """mosquitto under our configuration, kept current by `broker_config watch`: ports, folder."""
    port, tls_port = free_port(), free_port()
    monkeypatch.setenv("BRIDGE_PASSWORD", "of the bridge")
    words = ["broker_config", "watch", str(tmp_path), "--port", str(port), "--tls-port",
             str(tls_port), "--host", "127.0.0.1", "--user", embedded.ours().name,
             "--program", "bridge:BRIDGE_PASSWORD"]  # fmt: skip
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    database_url = f"{address.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{options}"
    watcher = subprocess.Popen(
        [sys.executable, "manage.py", *words], env=os.environ | {"DATABASE_URL": database_url}
    )
    try:
        eventually(lambda: (tmp_path / "passwords").exists(), 30)
        assert MOSQUITTO is not None
        broker = subprocess.Popen([MOSQUITTO, "-c", str(tmp_path / "mosquitto.conf")])
        try:
            eventually(lambda: (tmp_path / "mosquitto.pid").exists(), 30)
            yield port, tls_port, tmp_path
        finally:
            broker.kill()
            broker.wait()
    finally:
        watcher.terminate()
        watcher.wait()


@needs_mosquitto
@pytest.mark.django_db(transaction=True)
def test_a_device_speaks_below_its_own_name_alone_and_is_gone_when_its_right_is(
    base: tuple[int, int, Path], now: datetime
) -> None:
    port, tls_port, folder = base
    device = make.device()
    secret = services.issue_for_device(device=device, actor=SYSTEM, now=now)
    with connected(port, "bridge", "of the bridge") as bridge:
        assert bridge.connected.wait(RIGHTS_S)
        bridge.client.subscribe("wb1/#", qos=1)
        eventually(lambda: secret_works(port, device.code, secret), RIGHTS_S)
        with connected(tls_port, device.code, secret, folder / "ca.crt") as own:
            assert own.connected.wait(RIGHTS_S)
            own.client.publish(f"wb1/d/{device.code}x/state", "{}", qos=1)
            own.client.publish(f"wb1/d/{device.code}/cmd", "{}", qos=1)
            own.client.publish(f"wb1/d/{device.code}/state", "{}", qos=1)
            eventually(lambda: bridge.heard == [f"wb1/d/{device.code}/state"], RIGHTS_S)

            renewed = services.issue_for_device(device=device, actor=SYSTEM, now=now)
            assert own.gone.wait(RIGHTS_S), "the old password still connects"
        assert not secret_works(port, device.code, secret)
        with connected(port, device.code, renewed) as again:
            assert again.connected.wait(RIGHTS_S)
            services.revoke(name=device.code, actor=SYSTEM, now=now)
            assert again.gone.wait(RIGHTS_S), "a revoked device is still connected"
        assert not bridge.gone.is_set()


def secret_works(port: int, name: str, password: str) -> bool:
    """Whether one may connect by it now."""
    with connected(port, name, password) as tried:
        eventually(lambda: tried.connected.is_set() or tried.refused.is_set(), RIGHTS_S)
        return tried.connected.is_set()


@needs_mosquitto
@pytest.mark.django_db(transaction=True)
def test_a_bridge_of_other_gear_has_its_own_topics_and_no_others(
    base: tuple[int, int, Path], now: datetime
) -> None:
    port, _, _ = base
    secret = services.issue_for_program(
        name="zigbee2mqtt",
        kind=Kind.FOREIGN,
        writes=["zigbee2mqtt/#", "homeassistant/#"],
        reads=["zigbee2mqtt/+/set"],
        actor=SYSTEM,
        now=now,
    )
    with connected(port, "bridge", "of the bridge") as bridge:
        assert bridge.connected.wait(RIGHTS_S)
        bridge.client.subscribe("#", qos=1)
        eventually(lambda: secret_works(port, "zigbee2mqtt", secret), RIGHTS_S)
        with connected(port, "zigbee2mqtt", secret) as foreign:
            assert foreign.connected.wait(RIGHTS_S)
            foreign.client.publish("wb1/d/LIGHT-1/state", "{}", qos=1)
            foreign.client.publish("wb1/d/zigbee2mqtt/$meta", "{}", qos=1)
            foreign.client.publish("zigbee2mqtt/lamp", "{}", qos=1)
            eventually(lambda: bridge.heard == ["zigbee2mqtt/lamp"], RIGHTS_S)


@pytest.mark.django_db
def test_technicians_give_and_take_passwords_and_tenants_do_not() -> None:
    device = make.device()
    path = f"/devices/{device.code}/credentials"
    technician, tenant = caller(Role.TECHNICIAN), caller(Role.TENANT_ADMIN)

    assert technician.get(path)[1]["code"] == "no_broker_account"
    status, made = technician.post(path)
    assert status == 201
    row = BrokerAccount.objects.get(name=device.code)
    assert accounts.matches(made["password"], row.password_hash)
    assert "password" not in technician.get(path)[1]
    assert technician.client.delete(f"/api/v1{path}").status_code == 204
    assert technician.get(path)[1]["revoked_at"] is not None
    assert tenant.post(path)[0] == 403
