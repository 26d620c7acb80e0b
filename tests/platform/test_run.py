"""The script `run`: what it says when a machine is not fit."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.platform.bases import ROOT

LOCKS = ("requirements.txt", "requirements-local.txt")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with only the script and the locks."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("run", *LOCKS):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(
    clone: Path, *words: str, path: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(clone.parent), **more}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        ["/bin/sh", str(clone / "run"), *words],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with the usual tools and these instead of Python."""
    folder.mkdir()
    for tool in ("sh", "cat", "cksum", "mkdir", "rm", "grep", "tail", "sleep", "dirname", "env"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_an_old_python_is_told_from_none(clone: Path, tmp_path: Path) -> None:
    old = programs(tmp_path / "old", python3='case "$*" in *print*) echo 3.9;; *) exit 1;; esac')
    none = programs(tmp_path / "none")

    too_old, missing = run(clone, path=old), run(clone, path=none)

    assert too_old.returncode == missing.returncode == 1
    assert "Python 3.11 or newer is needed, but only 3.9 is here: install it" in too_old.stderr
    assert "Python 3.11 or newer is needed: install it" in missing.stderr


def test_a_python_without_venv_is_a_sentence(clone: Path, tmp_path: Path) -> None:
    bare = programs(
        tmp_path / "bare",
        python3='case "$*" in *print*) echo 3.12;; *ensurepip*) exit 1;; esac',
    )

    said = run(clone, path=bare)

    assert said.returncode == 1
    assert "python3 has no venv module: install it" in said.stderr


def test_an_unanswering_registry_is_a_sentence(clone: Path) -> None:
    said = run(
        clone,
        PIP_INDEX_URL="http://127.0.0.1:1/simple",
        PIP_RETRIES="0",
        PIP_FIND_LINKS="",
        PIP_NO_CACHE_DIR="1",
        PIP_CONFIG_FILE=os.devnull,
    )

    assert said.returncode == 1
    assert "the package registry does not answer. Check the network" in said.stderr
    assert not (clone / ".base_ops" / "installing").exists()


def test_two_installations_at_once_are_refused(clone: Path) -> None:
    (clone / ".base_ops").mkdir()
    (clone / ".base_ops" / "installing").write_text(f"{os.getpid()}\n")

    said = run(clone)

    assert said.returncode == 1
    assert f"Another ./run is installing (process {os.getpid()}): wait" in said.stderr


def test_a_mark_of_a_killed_installation_is_ignored(clone: Path, tmp_path: Path) -> None:
    (clone / ".base_ops").mkdir()
    (clone / ".base_ops" / "installing").write_text("999999\n")

    said = run(clone, path=programs(tmp_path / "none"))

    assert "Python 3.11 or newer is needed" in said.stderr


def test_an_unknown_word_shows_what_can_be_asked_for(clone: Path) -> None:
    said = run(clone, "tset")

    assert said.returncode == 2
    assert "./run test [ARGS…]" in said.stderr
