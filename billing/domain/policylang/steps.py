"""An evaluation has so many steps and no more, whatever the rule and the facts are."""

from dataclasses import dataclass
from typing import Final

MOST_STEPS: Final = 10_000


class TooLong(ValueError):
    """The steps are used up; `path` is where."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: more than {MOST_STEPS} steps")
        self.path = path


@dataclass(slots=True)
class Meter:
    """Counts the steps of one evaluation."""

    left: int = MOST_STEPS

    def step(self, path: str) -> None:
        """One step more.

        Raises:
            TooLong: that was one too many.
        """
        self.left -= 1
        if self.left < 0:
            raise TooLong(path)
