"""Lines of many processes: each with its name on one screen, and in a bounded file of its own."""

import os
import sys
import time
from pathlib import Path
from typing import TextIO

MAX_FILE_BYTES = 5 * 1024 * 1024
LONGEST_LINE = 64 * 1024
OURS = "base-ops"
_COLOURS = {
    "postgres": 34,
    "broker": 36,
    "web": 32,
    "bridge": 35,
    "jobs": 33,
    "simulator": 90,
    "setup": 37,
}
_WIDTH = max(len(OURS), *map(len, _COLOURS))


class Output:
    """Writes lines to the screen and to `<folder>/<name>.log`, of which one older file is kept.

    A full disk never stops the base: the screen says so once and the file loses lines.
    """

    def __init__(self, folder: Path, screen: TextIO = sys.stdout) -> None:
        self._folder = folder
        self._screen = screen
        self._colour = screen.isatty() and "NO_COLOR" not in os.environ
        self._complained = False

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line(OURS, text)

    def line(self, name: str, text: str) -> None:
        """One line of process `name`."""
        label = f"{name:<{_WIDTH}} |"
        if self._colour:
            label = f"\x1b[{_COLOURS.get(name, 1)}m{label}\x1b[0m"
        self._print(f"{label} {text}")
        self._keep(name, text)

    def plain(self, text: str) -> None:
        """Text for people: screen only (it may hold passwords)."""
        self._print(text)

    def _print(self, text: str) -> None:
        try:
            print(text, file=self._screen, flush=True)
        except OSError:  # a closed terminal or pipe: the files go on
            self._screen = Path(os.devnull).open("w")  # noqa: SIM115

    def _keep(self, name: str, text: str) -> None:
        file = self._folder / f"{name}.log"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        try:
            if file.exists() and file.stat().st_size > MAX_FILE_BYTES:
                file.replace(file.with_suffix(".log.1"))
            with file.open("a", encoding="utf-8", errors="replace") as out:
                out.write(f"{stamp} {text}\n")
        except OSError as exc:
            if not self._complained:
                self._complained = True
                self._print(f"{OURS}: cannot write {file} ({exc.strerror}); going on without it")
