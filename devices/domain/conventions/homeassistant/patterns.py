"""Regular expressions of strangers, only where they cannot take long.

Python's `re` backtracks: some short patterns take years. So we count the ways there are to try: a
pattern may repeat at will at most twice, nothing that has a choice is repeated, nothing refers to
what was matched; and the more ways there are, the shorter a text it is tried on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

constants: Any = import_module("re._constants")  # Python's own grammar of patterns
parser: Any = import_module("re._parser")

MAX_PATTERN = 200
MAX_STEPS = 4_000_000  # about a tenth of a second
_MAX_TEXT = 16_384
_MAX_REPEATS = 2
_MAX_CHOICES = 256
_MAX_FIXED = 256


class BadPattern(ValueError):
    """It is no pattern, or one that could take long."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, and how long a text it may be tried on."""

    compiled: re.Pattern[str]
    longest: int

    def fits(self, text: str) -> str:
        """The text, if it is short enough; raises BadPattern."""
        if len(text) > self.longest:
            raise BadPattern("the text is too long for this pattern")
        return text


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: int = 0) -> Pattern:
    """The pattern.

    Raises:
        BadPattern: it is none, or could take long.
    """
    if len(pattern) > MAX_PATTERN:
        raise BadPattern("the pattern is too long")
    try:
        tree = parser.parse(pattern, flags)
        ways = _Ways()
        ways.count(tree)
        return Pattern(re.compile(pattern, flags), ways.longest)
    except (re.error, RecursionError, OverflowError) as exc:
        raise BadPattern(f"not a pattern: {exc}") from exc


class _Ways:
    """How many ways there are to try a pattern; raises where there are too many."""

    def __init__(self) -> None:
        self._repeats = 0  # each as often as the text is long
        self._choices = 1

    @property
    def longest(self) -> int:
        """The length of a text that takes no more than `MAX_STEPS`, wherever the search begins."""
        power = self._repeats + 1
        orders = (1, 2, 6)[self._repeats]  # of n positions in order, not of all tuples
        return min(_MAX_TEXT, int((MAX_STEPS * orders / self._choices) ** (1 / power)))

    def count(self, tree: Iterable[tuple[Any, Any]]) -> None:
        """Count what one sequence holds."""
        for op, value in tree:
            if op in _REPEATS:
                self._repeat(*value)
            elif op in _REFUSED:
                raise BadPattern(f"a pattern may not use {str(op).lower()}")
            else:
                if op is constants.BRANCH:
                    self._choose(len(value[1]))
                for inner in _inside(value):
                    self.count(inner)

    def _repeat(self, low: int, high: Any, inner: Any) -> None:
        if high is not constants.MAXREPEAT and int(high) <= 1:
            self._choose(2)
            return self.count(inner)
        if _has_choice(inner):
            raise BadPattern("a choice or a repetition inside a repetition")
        if low == high:
            if int(high) > _MAX_FIXED:
                raise BadPattern("too many repetitions")
            return self.count(inner)
        self._repeats += 1
        if self._repeats > _MAX_REPEATS or int(low) > _MAX_FIXED:
            raise BadPattern("too many repetitions")
        return self.count(inner)

    def _choose(self, ways: int) -> None:
        self._choices *= ways
        if self._choices > _MAX_CHOICES:
            raise BadPattern("too many choices")


_REPEATS = frozenset({constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT})
_REFUSED = frozenset({constants.GROUPREF, constants.GROUPREF_EXISTS, constants.GROUPREF_IGNORE})


def _inside(value: Any) -> list[Any]:
    """The sub-patterns in the argument of an operation."""
    if isinstance(value, parser.SubPattern):
        return [value]
    if isinstance(value, list | tuple):
        return [found for part in value for found in _inside(part)]
    return []


def _has_choice(tree: Iterable[tuple[Any, Any]]) -> bool:
    return any(
        op is constants.BRANCH or op in _REPEATS or any(map(_has_choice, _inside(value)))
        for op, value in tree
    )
