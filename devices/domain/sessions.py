"""Live sessions: what encoders streamed, with short breaks in between, as one show. Pure.

Source: indicator K05: at least 30 minutes on air; who is back within 10 minutes goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from base_ops.core.spans import Span

SHORTEST = timedelta(minutes=30)
RECONNECT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Part:
    """One encoder's uninterrupted stream; `booking` "": nobody knows for which."""

    span: Span
    booking: str = ""
    running: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One show of a room.

    Args:
        span: from its first instant on air to its last.
        on_air: without the breaks; two encoders at once count once.
        breaks: how often nothing was on air in between.
        running: it is on air now.
    """

    span: Span
    on_air: timedelta
    booking: str
    breaks: int = 0
    running: bool = False

    @property
    def counts(self) -> bool:
        """Whether it was long enough to be called a session."""
        return self.on_air >= SHORTEST


def sessions(parts: Iterable[Part]) -> list[Session]:
    """The sessions of one room, in order; shows of different bookings are never one."""
    found: list[Session] = []
    for part in sorted(parts, key=lambda p: (p.span, p.booking)):
        for index in range(len(found) - 1, -1, -1):
            if _goes_on(found[index], part):
                found[index] = _with(found[index], part)
                break
        else:
            found.append(Session(part.span, part.span.length, part.booking, running=part.running))
    return found


def _goes_on(session: Session, part: Part) -> bool:
    same = session.booking == part.booking or not session.booking or not part.booking
    return same and part.span.start <= session.span.end + RECONNECT


def _with(session: Session, part: Part) -> Session:
    end = max(session.span.end, part.span.end)
    new_from = max(session.span.end, part.span.start)
    return replace(
        session,
        span=Span(session.span.start, end),
        on_air=session.on_air + max(part.span.end - new_from, timedelta(0)),
        booking=session.booking or part.booking,
        breaks=session.breaks + (part.span.start > session.span.end),
        running=session.running or part.running,
    )
