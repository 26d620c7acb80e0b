"""In a whole run, a problem code that no test provoked over HTTP is a failure.

Every answer of a refusal goes through `problems.respond`; its code is noted here, in the workers
of pytest-xdist too. Only a run of everything can judge: of a part, `-p tests.provoked` names what
that part leaves out. Codes that one test provokes on purpose are in tests/api/test_problems*.py.
"""

from typing import Any

import httpx
import pytest

_answered: set[str] = set()
_KEY = "provoked"


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Note the code of every refusal that is answered from here on."""
    from base_ops.core import errors, problems

    answer = problems.respond

    def noting(request: Any, status: int, exc: errors.DomainError) -> Any:
        _answered.add(exc.code)
        return answer(request, status, exc)

    problems.respond = noting
    _listen()


def _listen() -> None:
    """Hear the refusals of web processes too, which answer to httpx."""
    send = httpx.Client.send

    def hearing(self: httpx.Client, *args: Any, **kwargs: Any) -> httpx.Response:
        answer = send(self, *args, **kwargs)
        if answer.is_closed and "problem+json" in answer.headers.get("content-type", ""):
            _answered.add(answer.json()["code"])
        return answer

    httpx.Client.send = hearing  # type: ignore[method-assign]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker of pytest-xdist heard."""
    _answered.update(getattr(node, "workeroutput", {}).get(_KEY, ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run; pytest's own summary names the codes."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = sorted(_answered)
    elif missing() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the codes that nobody provoked."""
    if found := missing():
        terminalreporter.section("problem codes that no test provoked over HTTP")
        terminalreporter.line(", ".join(found))


def missing() -> list[str]:
    """Documented, and never answered."""
    from django.urls import get_resolver

    from base_ops.core import registry

    _ = get_resolver().url_patterns  # imports every module that answers requests
    return sorted({entry.code for entry in registry.entries()} - _answered)
