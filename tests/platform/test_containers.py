"""docker-compose.yml, its example environment, and the broker's access list."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.platform.bases import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / "deploy" / "env.example").read_text()
SERVICES = (
    "postgres", "mosquitto", "prepare", "accounts", "web", "bridge", "jobs", "gateway", "simulator"
)  # fmt: skip


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def compose() -> list[list[str]]:
    """Each way to call Compose that works here."""
    ways = [["docker-compose"], ["docker", "compose"]]
    return [way for way in ways if shutil.which(way[0]) and _answers([*way, "version"])]


TOOLS = compose()  # none: the test below is skipped, and CI calls that a failure


def test_every_variable_is_explained_and_no_secret_has_a_default() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE))
    explained = set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
    secret = {name for name in used if name.endswith(("_PASSWORD", "_KEY"))}

    assert used == explained
    assert len(secret) == 4
    assert all(re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE) for name in secret)
    assert not re.search(r"\$\{\w+_(PASSWORD|KEY):-[^}]", COMPOSE)


def test_every_service_runs_a_command_that_exists() -> None:
    commands = re.findall(r"command: \[python, manage.py, (\w+)", COMPOSE)
    known = {path.stem for path in ROOT.glob("*/management/commands/*.py")}

    processes = {"web", "bridge", "jobs", "gateway", "simulator"}
    ours = {"prepare", "broker_config", *(f"run_{name}" for name in processes)}
    assert set(commands) == ours
    assert set(commands) <= known
    assert all(re.search(rf"^  {name}:$", COMPOSE, re.MULTILINE) for name in SERVICES)


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_compose_itself_accepts_it(tmp_path: Path, tool: list[str]) -> None:
    filled = tmp_path / "env"
    filled.write_text(re.sub(r"^(\w+)=$", r"\1=secret", EXAMPLE, flags=re.MULTILINE))

    done = subprocess.run(
        [*tool, "--env-file", str(filled), "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
