"""Why a message was refused; a closed set."""

from typing import Literal

Reason = Literal[
    "too-long",
    "empty",
    "not-json",
    "wrong-shape",
    "unknown-topic",
    "bad-device-id",
    "retained-command",
    "foreign-command",
    "retained-event",
    "bad-discovery",
    "bad-value",
    "bad-template",
]


def printable(text: str, longest: int = 300) -> str:
    """A stranger's words, fit for a log or a page."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:longest])


class CodecError(Exception):
    """A message that says nothing we can use."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class BadDiscovery(CodecError):
    """An announcement that cannot be used: where in it, and why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__("bad-discovery")
        self.path, self.why = printable(path), printable(why)

    def __str__(self) -> str:
        """For a technician."""
        return f"{self.path}: {self.why}" if self.path else self.why
