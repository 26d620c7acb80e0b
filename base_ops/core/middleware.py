"""Gives each request an id that its log lines, audit rows and answers share.

Text that PostgreSQL cannot hold (NUL, lone surrogates) is turned away here, once for all.
"""

import json
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from base_ops.core import errors, logs, problems

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_NUL = "\x00"
_SUSPECT = re.compile(rb"\x00|\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RequestContext:
    """Takes a well-formed X-Request-ID over, otherwise makes one; answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request inside its context."""
        given = request.headers.get("X-Request-ID", "")
        rid = given if _ACCEPTABLE.fullmatch(given) else secrets.token_hex(8)
        token = logs.request_id.set(rid)
        try:
            response = _refusal(request) or self.get_response(request)
            if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                response = _other_method(request, response)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = rid
        return response


def _other_method(request: HttpRequest, bare: HttpResponse) -> HttpResponse:
    """Django's and ninja's own answer, said as we say everything else."""
    response = problems.domain_error(request, errors.MethodNotAllowed(f"not {request.method}"))
    response["Allow"] = bare["Allow"]
    return response


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request whose text cannot be stored or looked up, otherwise None."""
    query = request.META.get("QUERY_STRING", "")
    if _NUL in request.path or "%00" in query or _NUL in query:
        fault = problems.BadCharacters("NUL in the address")
        return problems.respond(request, HTTPStatus.BAD_REQUEST, fault)
    if any(_NUL in name + value for name, value in request.COOKIES.items()):
        return problems.respond(
            request, HTTPStatus.BAD_REQUEST, problems.BadCharacters("NUL in a cookie")
        )
    if request.content_type == "application/json" and _bad_json(request):
        fault = problems.BadCharacters("NUL or a lone surrogate in the body")
        return problems.respond(request, HTTPStatus.UNPROCESSABLE_ENTITY, fault)
    return None


def _bad_json(request: HttpRequest) -> bool:
    """Whether the body is JSON with such text; any other fault is for the parser to name."""
    try:
        body = request.body
    except (RequestDataTooBig, UnreadablePostError):
        return False
    if not _SUSPECT.search(body):
        return False
    if b"\x00" in body:
        return True
    try:
        return _unstorable(json.loads(body))
    except (ValueError, RecursionError):
        return False


def _unstorable(value: object) -> bool:
    """Whether some text inside, key or value, cannot be stored."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text) if _UNSTORABLE.search(text):
                return True
            case list(items):
                waiting.extend(items)
            case dict(pairs):
                waiting.extend([*pairs, *pairs.values()])
            case _:
                pass
    return False
