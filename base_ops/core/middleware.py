"""Gives each request an id that its log lines, audit rows and answers share."""

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from base_ops.core import logs

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


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
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = rid
        return response
