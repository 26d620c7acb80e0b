"""What is wrong with an answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from base_ops.core import openapi
from base_ops.core.models import Role
from tests.api.world import MARK

Case = schemathesis.Case[Any]
CRASH = "a server error"
UNDESCRIBED = "against its description"
NO_PROBLEM = "not a problem in both languages"
LEAK = "shows another tenant's data"
# Whom tenant B's data must never reach; the district sees no tenant's at all.
OUTSIDERS = frozenset({Role.TENANT_ADMIN.value, Role.TENANT_MEMBER.value, Role.LIAISON.value})
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer that should not be."""

    kind: str
    what: str
    operation: str
    role: str
    request: str
    answer: str
    trace: str = ""

    def __str__(self) -> str:
        return (
            f"{self.operation} as {self.role}: {self.what}\n"
            f"    {self.request[:700]}\n    {self.answer[:700]}\n{self.trace}"
        )


def faults(case: Case, role: str, answer: Any, *, codes: set[str]) -> Iterator[Fault]:
    """Everything that is wrong with one answer."""
    request = told(case)
    text = f"{answer.status_code} {answer.content.decode('utf-8', 'replace')}"
    found = [
        *_unfit(case, answer),
        *((NO_PROBLEM, why) for why in _no_problem(answer, codes)),
        *((LEAK, why) for why in leaks(role, request, text)),
    ]
    for kind, what in found:
        yield Fault(kind, what, case.operation.label, role, request, text)


def told(case: Case) -> str:
    """The request, as far as a person needs it."""
    body = repr(case.body) if isinstance(case.body, (dict, list, str, int, bytes)) else ""
    return f"{case.method} {case.formatted_path} {case.query} {dict(case.headers or {})} {body}"


def leaks(role: str, request: str, answer: str) -> Iterator[str]:
    """What tenant A is told of B, and the district of anybody; an echo of the request is none."""
    mark, answer = MARK.lower(), answer.lower()
    if role in OUTSIDERS and mark in answer and mark not in request.lower():
        at = answer.index(mark)
        yield f"…{answer[max(0, at - 80) : at + 40]}…"


def _unfit(case: Case, answer: Any) -> Iterator[tuple[str, str]]:
    if answer.status_code >= 500:
        yield CRASH, f"status {answer.status_code}"
        return
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            title = getattr(failure, "title", type(failure).__name__)
            yield UNDESCRIBED, f"{title}: {str(failure)[:400]}"


def _no_problem(answer: Any, codes: set[str]) -> Iterator[str]:
    """Why a refusal is no problem as documented."""
    if answer.status_code < 400:
        return
    if answer.headers["content-type"] != [openapi.PROBLEM]:
        yield f"it is {answer.headers['content-type']}"
        return
    body = json.loads(answer.content)
    if body.get("code") not in codes:
        yield f"the code {body.get('code')!r} is not documented"
    if body.get("status") != answer.status_code:
        yield "it names another status"
    if not all(body.get(name, "").strip() for name in ("title_zh", "title_en", "request_id")):
        yield "a title or the request's id is missing"
