"""The state folder."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from base_ops.supervisor import state
from base_ops.supervisor.state import CannotStart, State


@pytest.fixture
def made(tmp_path: Path) -> State:
    found = State(tmp_path / "state")
    found.make()
    return found


def test_others_may_not_look_into_it(made: State) -> None:
    closed = {made.folder / "logs", made.folder / "broker"}

    made.secret("key")

    assert stat.S_IMODE(made.folder.stat().st_mode) & 0o066 == 0
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in closed} == {0o700}
    assert stat.S_IMODE((made.folder / "secrets.json").stat().st_mode) == 0o600


def test_a_secret_is_made_once_and_is_another_in_each_base(made: State, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    other.make()

    assert made.secret("key") == made.secret("key") != other.secret("key")
    assert len(made.secret("key")) >= 48


def test_a_port_is_remembered_while_it_is_free(made: State) -> None:
    first = made.port("mqtt")
    assert made.port("mqtt") == first

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()

        assert made.port("mqtt") != first


def test_a_second_run_is_refused_with_what_to_do(made: State) -> None:
    with (
        made.locked("http://127.0.0.1:8000"),
        pytest.raises(CannotStart, match=rf"already running \(process {os.getpid()}, http://127"),
        made.locked("http://127.0.0.1:8000"),
    ):
        pass


def test_a_lock_file_of_a_dead_process_is_no_lock(made: State) -> None:
    (made.folder / "lock").write_text("999999 http://127.0.0.1:8000")

    with made.locked("http://127.0.0.1:1"):
        assert (made.folder / "lock").read_text() == f"{os.getpid()} http://127.0.0.1:1"


def test_a_file_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")

    with pytest.raises(CannotStart, match=r"Cannot write in .*BASE_OPS_STATE_DIR"):
        State(tmp_path / "state").make()


def test_too_little_room_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "LEAST_FREE_BYTES", 2**62)

    with pytest.raises(CannotStart, match=r"Only .* MB are free"):
        State(tmp_path / "state").make()


def test_a_full_disk_is_told_from_a_closed_folder() -> None:
    full = state.sentence(OSError(errno.ENOSPC, "No space left"), Path("/x"))
    closed = state.sentence(OSError(errno.EROFS, "Read-only file system"), Path("/x"))

    assert full == "The disk of /x is full: make room and start again."
    assert "Read-only file system" in closed


def test_forgetting_deletes_only_what_a_base_made(made: State) -> None:
    made.secret("key")
    (made.folder / "mine.txt").write_text("keep")

    made.forget()

    assert {path.name for path in made.folder.iterdir()} == {"lock", "mine.txt"}
