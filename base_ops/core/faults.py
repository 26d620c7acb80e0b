"""Collects every fault of a file before anything of it is imported."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from base_ops.core import errors

T = TypeVar("T")


class BrokenFile(errors.Invalid):
    """A file with faults; `faults` lists them all, each as "place: reason"."""

    code, title_zh, title_en = (
        "broken_file",
        "文件有错误,未导入任何内容",
        "The file has faults, nothing was imported",
    )

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults", faults=self.faults)


class Faults:
    """A list of faults that knows where it is."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: str, reason: str) -> None:
        """Note one fault."""
        self.found.append(f"{place}: {reason}")

    def check(self, sound: bool, place: str, reason: str) -> bool:
        """Note a fault unless `sound`; returns `sound`."""
        if not sound:
            self.add(place, reason)
        return sound

    def read(self, place: str, build: Callable[[], T]) -> T | None:
        """What `build` returns, or None and a fault when the data does not allow it."""
        try:
            return build()
        except KeyError as exc:
            self.add(place, f"{exc.args[0]} is missing")
        except (TypeError, ValueError, ArithmeticError, AttributeError, IndexError) as exc:
            self.add(place, str(exc) or type(exc).__name__)
        return None

    def rows(self, data: Any, name: str) -> list[dict[str, Any]]:
        """The list of objects called `name`; anything else is a fault and an empty list."""
        rows = data.get(name) if isinstance(data, dict) else None
        if not isinstance(rows, list):
            self.add(name, "a list is missing")
            return []
        for index, row in enumerate(rows):
            self.check(isinstance(row, dict), f"{name}[{index}]", "not an object")
        return [row for row in rows if isinstance(row, dict)]

    def raise_any(self) -> None:
        """Raise BrokenFile when something was noted."""
        if self.found:
            raise BrokenFile(self.found)
