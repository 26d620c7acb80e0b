"""Problem answers for what never reaches Django: too large, too busy, too slow, crashed."""

from dataclasses import dataclass

from django.http import HttpRequest

from base_ops.core import errors
from base_ops.core import problems as core_problems

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: Headers
    body: bytes


def too_large() -> Answer:
    """413."""
    return _answer(413, core_problems.BodyTooLarge("at most 25 MiB"))


def overloaded(detail: str) -> Answer:
    """503."""
    return _answer(503, core_problems.Overloaded(detail))


def crashed() -> Answer:
    """500."""
    return _answer(500, core_problems.Crash("see the log"))


def _answer(status: int, exc: errors.DomainError) -> Answer:
    response = core_problems.respond(HttpRequest(), status, exc)
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.items()]
    body = response.content
    return Answer(status, [*headers, (b"Content-Length", str(len(body)).encode())], body)
