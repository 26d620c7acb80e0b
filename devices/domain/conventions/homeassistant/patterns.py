"""Regular expressions of strangers, only where they cannot take long.

Python's `re` backtracks: some short patterns take years. So a pattern may repeat without bound at
most twice, never inside another repetition, and refers to nothing it matched; texts are short.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_PATTERN = 200
MAX_SUBJECT = (16_384, 2_048, 255)  # by how often the pattern repeats without bound
_UNBOUNDED = 2
_BOUNDED = 12  # repetitions with a bound, of at most…
_BOUND = 64


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
        check = _Check()
        check.walk(tree, repeated=False)
        return Pattern(re.compile(pattern, flags), MAX_SUBJECT[check.unbounded])
    except (re.error, RecursionError, OverflowError) as exc:
        raise BadPattern(f"not a pattern: {exc}") from exc


class _Check:
    """Counts repetitions; raises on what could take long."""

    def __init__(self) -> None:
        self.unbounded = 0
        self._bounded = 0

    def walk(self, tree: Iterable[tuple[Any, Any]], *, repeated: bool) -> None:
        for op, value in tree:
            if op in _REPEATS:
                self._repeat(*value, repeated=repeated)
            elif op in _REFUSED:
                raise BadPattern(f"a pattern may not use {str(op).lower()}")
            else:
                for inner in _inside(value):
                    self.walk(inner, repeated=repeated)

    def _repeat(self, low: int, high: Any, inner: Any, *, repeated: bool) -> None:
        once = high is not constants.MAXREPEAT and int(high) <= 1
        if repeated:
            raise BadPattern("a repetition inside a repetition")
        if high is constants.MAXREPEAT:
            self.unbounded += 1
        else:
            self._bounded += 1
        wide = high is not constants.MAXREPEAT and int(high) > _BOUND
        if self.unbounded > _UNBOUNDED or self._bounded > _BOUNDED or wide or int(low) > _BOUND:
            raise BadPattern("too many repetitions")
        if high is constants.MAXREPEAT and _branches(inner):
            raise BadPattern("alternatives inside a repetition")
        self.walk(inner, repeated=not once)


_REPEATS = frozenset({constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT})
_REFUSED = frozenset({constants.GROUPREF, constants.GROUPREF_EXISTS, constants.GROUPREF_IGNORE})


def _inside(value: Any) -> list[Any]:
    """The sub-patterns in the argument of an operation."""
    if isinstance(value, parser.SubPattern):
        return [value]
    if isinstance(value, list | tuple):
        return [found for part in value for found in _inside(part)]
    return []


def _branches(tree: Iterable[tuple[Any, Any]]) -> bool:
    return any(
        op is constants.BRANCH or op in _REPEATS or any(map(_branches, _inside(value)))
        for op, value in tree
    )
