"""Turns every refusal into RFC 9457 problem details with a stable code and two titles."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import django.db
import psycopg
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from base_ops.core import errors, logs

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.DomainError], HTTPStatus] = {
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
codes_4xx = frozenset({400, 401, 403, 404, 409, 412, 413, 422, 428, 429})

_WHERE = {"body", "query", "path", "header", "cookie", "form", "file"}


class FieldProblem(Schema):
    """One field and why it was refused."""

    name: str
    reason_zh: str
    reason_en: str


class Problem(Schema):
    """RFC 9457 problem details."""

    type: str
    title: str
    title_zh: str
    title_en: str
    status: int
    code: str
    detail: str
    request_id: str
    fields: list[FieldProblem] = []


def respond(request: HttpRequest, status: int, exc: errors.DomainError) -> JsonResponse:
    """The answer for a refusal, its title in the language that the caller accepts."""
    english = request.headers.get("Accept-Language", "zh").lower().startswith("en")
    body: dict[str, Any] = {
        **exc.context,
        "type": f"urn:base-ops:problem:{exc.code}",
        "title": exc.title_en if english else exc.title_zh,
        "title_zh": exc.title_zh,
        "title_en": exc.title_en,
        "status": int(status),
        "code": exc.code,
        "detail": exc.detail,
        "request_id": logs.request_id.get(),
        "fields": [
            {"name": f.name, "reason_zh": f.reason_zh, "reason_en": f.reason_en}
            for f in exc.fields
        ],
    }
    response = JsonResponse(
        body,
        status=int(status),
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        response["Retry-After"] = "1"
    return response


def domain_error(request: HttpRequest, exc: errors.DomainError) -> HttpResponse:
    """Answer a DomainError with the status of its kind."""
    kind = next((k for k in type(exc).__mro__ if k in STATUS), None)
    status = STATUS[kind] if kind else HTTPStatus.INTERNAL_SERVER_ERROR
    logger.info("problem", extra={"code": exc.code, "status": int(status)})
    return respond(request, status, exc)


def validation_error(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    """Answer a request whose shape is wrong, naming each field."""
    faults = [
        errors.FieldFault(
            name=".".join(str(part) for part in _path(fault["loc"])),
            reason_zh=f"不符合要求:{fault['msg']}",
            reason_en=str(fault["msg"]),
        )
        for fault in exc.errors
    ]
    return domain_error(request, errors.Invalid("some fields are not valid", fields=faults))


def _path(loc: tuple[int | str, ...]) -> list[int | str]:
    """The caller's name of a field: without pydantic's place and the parameter's own name."""
    parts = list(loc)
    if parts and parts[0] in _WHERE:
        place = parts.pop(0)
        if place == "body" and len(parts) > 1:
            parts.pop(0)
    return parts


def install(api: NinjaAPI) -> None:
    """Make `api` answer with problems only."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        errors.DomainError: domain_error,
        ValidationError: validation_error,
        AuthenticationError: lambda request, _: domain_error(request, errors.Unauthenticated()),
        Http404: lambda request, _: domain_error(request, errors.NotFound()),
        HttpError: _http_error,
        django.db.DataError: _data_error,
        psycopg.DataError: _data_error,
        UnicodeEncodeError: _data_error,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    """ninja's own refusals: a body that is no JSON, a method that is not allowed."""
    if exc.status_code == HTTPStatus.FORBIDDEN:
        return domain_error(request, errors.Forbidden(exc.message))
    problem = errors.Invalid(exc.message)
    return respond(request, exc.status_code, problem)


def _data_error(request: HttpRequest, exc: Exception) -> HttpResponse:
    """A value that the database cannot hold and that no check before it named."""
    logger.warning("problem.data", exc_info=exc)
    return domain_error(request, errors.Invalid("a value is out of range or is not text"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF refusal as a problem."""
    return domain_error(request, errors.Forbidden(f"CSRF check failed: {reason}"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Anything without a route."""
    return domain_error(request, errors.NotFound("there is nothing at this address"))


class Crash(errors.DomainError):
    """Our own fault; the log line with the request id has the trace."""

    code, title_zh, title_en = "internal", "系统内部错误", "Internal error"


class BadCharacters(errors.Invalid):
    """A NUL or half a surrogate pair, which no text here may have."""

    code, title_zh, title_en = "bad_characters", "含有不允许的字符", "Characters that are not text"


class BodyTooLarge(errors.TooLarge):
    """The request's body is over the limit."""

    code, title_zh, title_en = "body_too_large", "请求内容过大", "The request body is too large"


class Overloaded(errors.Unavailable):
    """Too many requests wait, or this one took too long."""

    code, title_zh, title_en = "overloaded", "系统繁忙,请稍后重试", "Busy, please try again"


def server_error(request: HttpRequest) -> HttpResponse:
    """An exception nobody answered."""
    return respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, Crash("see the log"))
