"""Lines with names, files with a bound."""

import io
from pathlib import Path

import pytest

from base_ops.supervisor import output
from base_ops.supervisor.output import Output


def test_each_line_carries_the_name_of_its_process(tmp_path: Path) -> None:
    screen = io.StringIO()

    Output(tmp_path, screen).line("web", "hello")

    assert screen.getvalue() == "web       | hello\n"
    assert (tmp_path / "web.log").read_text().endswith(" hello\n")


def test_a_file_never_grows_far_past_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MAX_FILE_BYTES", 2_000)
    lines = Output(tmp_path, io.StringIO())

    for number in range(500):
        lines.line("web", f"line {number}")

    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 2_100
    assert "line 499" in (tmp_path / "web.log").read_text()


def test_a_folder_that_cannot_be_written_is_said_once_and_the_screen_goes_on(
    tmp_path: Path,
) -> None:
    screen = io.StringIO()
    lines = Output(tmp_path / "missing", screen)

    lines.line("web", "one")
    lines.line("web", "two")

    assert screen.getvalue().count("cannot write") == 1
    assert "web       | two" in screen.getvalue()
