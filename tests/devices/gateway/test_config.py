"""gateway.toml: what is wrong in it is named by its field, and no secret is shown."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devices.gateway import config
from tests.devices.gateway import rig

EXAMPLE = Path(__file__).parents[3] / "deploy" / "gateway" / "example.toml"
CAMERA: dict[str, Any] = {
    "code": "CAM-1",
    "driver": "visca",
    "model": "CAM-PTZ",
    "host": "10.0.0.5",
}
LIGHT: dict[str, Any] = {
    "code": "L1",
    "driver": "sacn",
    "model": "LT-KEY-160",
    "universe": 1,
    "address": 1,
    "channels": ["intensity"],
}
OBS: dict[str, Any] = {
    "code": "ENC-1",
    "driver": "obs",
    "model": "ENC-PC",
    "host": "10.0.0.6",
    "password": {"env": "PW"},
}


def faults(*gear: dict[str, Any], **rest: Any) -> list[str]:
    with pytest.raises(config.BadConfig) as failure:
        config.parse({"gear": list(gear), **rest}, rig.SECRETS)
    return str(failure.value).splitlines()


@pytest.mark.parametrize(
    ("gear", "named"),
    [
        ({k: v for k, v in CAMERA.items() if k != "host"}, "gear[1] CAM-1.host: Field required"),
        (CAMERA | {"hots": "x"}, "gear[1] CAM-1.hots: Extra inputs are not permitted"),
        (CAMERA | {"port": 0}, "gear[1] CAM-1.port: Input should be greater than or equal to 1"),
        (CAMERA | {"host": "a b"}, "gear[1] CAM-1.host: String should match pattern"),
        (CAMERA | {"host": "x" * 64}, "gear[1] CAM-1.host: String should match pattern"),
        (CAMERA | {"limits": {"pan": [9, 1]}}, "gear[1] CAM-1.limits: pan: [lowest, highest]"),
        (CAMERA | {"limits": {"pam": [1, 9]}}, "gear[1] CAM-1: limits: pam is nothing of CAM-PTZ"),
        (CAMERA | {"model": "CAM-SEC"}, "gear[1] CAM-1: CAM-SEC takes no commands"),
        (CAMERA | {"presets": {"a": 255}}, "gear[1] CAM-1.presets: a preset is a number 0–254"),
        (CAMERA | {"driver": "x"}, "gear[1] CAM-1: Input tag 'x'"),
        (CAMERA | {"code": "a b"}, "gear[1] a b.code: String should match pattern"),
        (OBS | {"password": "hunter2"}, "gear[1] ENC-1.password: say where it is"),
        (OBS | {"password": {"env": "NO"}}, "gear[1] ENC-1.password: the environment has no NO"),
        (OBS | {"password": {"file": "/no"}}, "gear[1] ENC-1.password: /no: No such file"),
        (LIGHT | {"address": 513}, "gear[1] L1.address: Input should be less than"),
        (LIGHT | {"channels": ["cct"]}, "gear[1] L1: no channel makes light"),
        (LIGHT | {"channels": ["intensity", "uv"]}, "gear[1] L1.channels[2]: Input should be"),
        (LIGHT | {"priority": 201}, "gear[1] L1.priority: Input should be less than"),
    ],
)
def test_a_fault_is_named_by_its_field(gear: dict[str, Any], named: str) -> None:
    (line,) = faults(gear)

    assert line.startswith(named)
    assert "hunter2" not in line


def test_all_faults_are_named_at_once() -> None:
    assert len(faults(CAMERA | {"port": 0, "poll_s": 0}, LIGHT | {"universe": 0})) == 3


@pytest.mark.parametrize(
    ("second", "named"),
    [
        ({"code": "L1", "address": 9}, "the file: gear: L1 stands there twice"),
        (
            {"code": "L2"},
            "the file: gear: addresses 1 and 1 overlap on sacn group:5568 universe 1",
        ),
        ({"code": "L2", "address": 9, "on_stop": "off"}, "the file: gear: one on_stop for all"),
        ({"code": "L2", "address": 9, "priority": 9}, "the file: gear: one priority for all"),
    ],
)
def test_gear_must_not_get_in_each_others_way(second: dict[str, Any], named: str) -> None:
    (line,) = faults(LIGHT, LIGHT | second)

    assert line.startswith(named)


def test_a_secret_comes_from_the_environment_or_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from-a-file\n")
    file = OBS | {"code": "ENC-2", "password": {"file": str(tmp_path / "pw")}}

    read = config.parse({"gear": [OBS, file]}, rig.SECRETS)

    passwords = [g.password.get_secret_value() for g in read.gear if isinstance(g, config.ObsGear)]
    assert passwords == [rig.SECRETS["PW"], "from-a-file"]
    assert rig.SECRETS["PW"] not in repr(read)


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text("[[gear]\n")

    with pytest.raises(config.BadConfig, match=r"no TOML.*line 1"):
        config.read(tmp_path / "g.toml")
    with pytest.raises(config.BadConfig, match="No such file"):
        config.read(tmp_path / "none.toml")


def test_the_example_of_the_documentation_is_valid() -> None:
    names = ("OBS_F2_S01_PASSWORD", "MAGEWELL_F2_S02_PASSWORD", "HOUSE_STREAM_KEY")

    read = config.read(EXAMPLE, dict.fromkeys(names, "x"))

    assert {g.driver for g in read.gear} == {"visca", "obs", "magewell", "artnet", "sacn"}


def test_the_command_checks_a_file_and_says_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "g.toml"
    bad.write_text('[[gear]]\ncode = "C"\ndriver = "visca"\nmodel = "CAM-PTZ"\n')
    command = [sys.executable, "manage.py", "run_gateway", "--check", "--config", str(bad)]

    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    bad.write_text(bad.read_text() + 'host = "10.0.0.5"\n')
    accepted = subprocess.run(command, capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert "gear[1] C.host: Field required" in refused.stderr
    assert (accepted.returncode, accepted.stdout) == (0, "gateway: 1 pieces of gear, valid\n")
