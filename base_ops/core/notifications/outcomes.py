"""What became of one attempt to send, and what that says about the endpoint."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Result(StrEnum):
    """What to do with the message."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"  # for good: sending the same again is pointless
    LIMITED = "limited"  # too fast: later, and this was no attempt
    GONE = "gone"  # the endpoint wants no more messages


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is one of a closed set of short words, safe to show and to log.

    `at_fault` says that the endpoint itself failed, not only this message.
    """

    result: Result
    code: str = ""
    at_fault: bool = False
    wait: timedelta | None = None


SENT = Outcome(Result.SENT)


def failed(code: str, *, wait: timedelta | None = None) -> Outcome:
    """The endpoint failed: try again later."""
    return Outcome(Result.RETRY, code, at_fault=True, wait=wait)


def refused(code: str, *, at_fault: bool = False) -> Outcome:
    """This message will never be taken."""
    return Outcome(Result.REFUSED, code, at_fault=at_fault)
