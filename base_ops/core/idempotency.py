"""The same request sent again has one effect and gets the same answer.

The answer is stored in the transaction of the effect, so a crash leaves either both or neither.
Two at once: the second waits on the unique row of the first and then replays its answer. Refusals
are not stored: their transaction is rolled back, and asking again may well succeed.
"""

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, Schema, Status

from base_ops.core import auth, clock, db, errors
from base_ops.core.models.people import User
from base_ops.core.models.records import IdempotencyKey

IdempotencyHeader = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=64)]
KEPT = timedelta(days=7)


class KeyReused(errors.Invalid):
    """The key already belongs to a different request."""

    code, title_zh, title_en = (
        "key_reused",
        "幂等键已用于其他请求",
        "This key belongs to another request",
    )


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run the view once per (user, Idempotency-Key), inside one retried transaction.

    The view takes `idempotency_key: IdempotencyHeader` as its last parameter and returns
    `Status(code, Schema instance)`.
    """

    @functools.wraps(view)
    def once(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key: str = kwargs["idempotency_key"]
        now = clock.now()
        user = auth.user_of(request)

        def work() -> HttpResponse:
            if (earlier := _claim(request, user, key, now)) is not None:
                return _replay(earlier)
            answer: Status[Schema] = view(request, *args, **kwargs)
            body = answer.value.model_dump(mode="json", by_alias=True)
            _keep(user, key, answer.status_code, body)
            return _json(body, answer.status_code)

        return db.in_transaction(work)

    return once


def _claim(request: HttpRequest, user: User, key: str, now: datetime) -> tuple[int, Any] | None:
    """Take the key, waiting for a rival; the rival's (status, answer) when it was first.

    Raises:
        KeyReused: the key names another operation or body.
    """
    operation = f"{request.method} {request.path}"[:160]
    asked = request.META.get("QUERY_STRING", "").encode()
    digest = hashlib.sha256(asked + b"\0" + request.body if asked else request.body).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_idempotencykey"
            " (user_id, key, operation, fingerprint, status, answer, created_at)"
            " VALUES (%s, %s, %s, %s, 0, NULL, %s)"
            " ON CONFLICT ON CONSTRAINT idempotency_once_per_key DO NOTHING RETURNING id",
            [user.pk, key, operation, digest, now],
        )
        if cursor.fetchone():
            return None
    row = IdempotencyKey.objects.get(user=user, key=key)
    if (row.operation, row.fingerprint) != (operation, digest):
        raise KeyReused(f"the key was used for {row.operation}", fields=[_fault()])
    return row.status, row.answer


def _fault() -> errors.FieldFault:
    return errors.FieldFault("Idempotency-Key", "请换一个新的键", "use a new key")


def _keep(user: User, key: str, status: int, body: Any) -> None:
    IdempotencyKey.objects.filter(user=user, key=key).update(status=status, answer=body)


def _replay(earlier: tuple[int, Any]) -> HttpResponse:
    response = _json(earlier[1], earlier[0])
    response["Idempotency-Replayed"] = "true"
    return response


def _json(body: Any, status: int) -> JsonResponse:
    return JsonResponse(body, status=status, safe=False, json_dumps_params={"ensure_ascii": False})


def forget_old(now: datetime) -> int:
    """Delete answers older than a week; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]
