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
]


class CodecError(Exception):
    """A message that says nothing we can use."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
