"""The same request sent again has one effect and gets the same answer.

The answer is stored in the transaction of the effect, so a crash leaves either both or neither.
Two at once: the second waits on the unique row of the first and then replays its answer; the claim
goes to the server together with the first thing that the view asks. Refusals
are not stored: their transaction is rolled back, and asking again may well succeed.
"""

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, Schema, Status

from base_ops.core import auth, clock, db, errors, statements
from base_ops.core.models.people import User
from base_ops.core.models.records import IdempotencyKey

IdempotencyHeader = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=64)]
KEPT = timedelta(days=7)
_JSON = "application/json"
_COMPACT = {"ensure_ascii": False, "separators": (",", ":")}
_CLAIM = """
INSERT INTO core_idempotencykey (user_id, key, operation, fingerprint, status, answer, created_at)
VALUES (%s, %s, %s, %s, 0, NULL, %s)
ON CONFLICT ON CONSTRAINT idempotency_once_per_key DO NOTHING RETURNING id
"""
_KEEP = """
UPDATE core_idempotencykey SET status = %s, answer = %s::jsonb WHERE user_id = %s AND key = %s
"""


class _Lost(Exception):
    """The key was taken before: the transaction ends here and leaves nothing behind."""


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
    `Status(code, Schema instance)`, or instead of the instance its JSON text.
    """

    @functools.wraps(view)
    def once(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key: str = kwargs["idempotency_key"]
        now = clock.now()
        user = auth.user_of(request)
        is_nested = transaction.get_connection().in_atomic_block

        def work() -> HttpResponse:
            statements.ask(_CLAIM, [user.pk, key, *_asked(request), now], expect=_won)
            if is_nested:
                statements.flush()  # a repetition must not spoil the caller's transaction
            try:
                answer: Status[Schema | bytes] = view(request, *args, **kwargs)
            except errors.DomainError:
                statements.flush()  # refused before anything was asked: perhaps it is a repetition
                raise
            body = answer.value
            text = (
                body.decode() if isinstance(body, bytes) else body.model_dump_json(by_alias=True)
            )
            statements.ask(_KEEP, [answer.status_code, text, user.pk, key])
            return HttpResponse(text, status=answer.status_code, content_type=_JSON)

        try:
            return db.in_transaction(work)
        except _Lost:
            return _replay(*_earlier(request, user, key))

    return once


def _text(body: Schema) -> str:
    return body.model_dump_json(by_alias=True)


def _won(claim: statements.Answer) -> None:
    """Nothing is inserted when a rival, for whom the claim waits, took the key first."""
    if not claim.rows:
        raise _Lost


def _asked(request: HttpRequest) -> tuple[str, str]:
    """The operation, and a digest of what it is asked with."""
    query = request.META.get("QUERY_STRING", "").encode()
    body = query + b"\0" + request.body if query else request.body
    return f"{request.method} {request.path}"[:160], hashlib.sha256(body).hexdigest()


def _earlier(request: HttpRequest, user: User, key: str) -> tuple[int, Any]:
    """The (status, answer) of whoever took the key first.

    Raises:
        KeyReused: the key names another operation or body.
    """
    row = IdempotencyKey.objects.get(user=user, key=key)
    if (row.operation, row.fingerprint) != _asked(request):
        raise KeyReused(f"the key was used for {row.operation}", fields=[_fault()])
    return row.status, row.answer


def _fault() -> errors.FieldFault:
    return errors.FieldFault("Idempotency-Key", "请换一个新的键", "use a new key")


def _replay(status: int, body: Any) -> HttpResponse:
    response = JsonResponse(body, status=status, safe=False, json_dumps_params=_COMPACT)
    response["Idempotency-Replayed"] = "true"
    return response


def forget_old(now: datetime) -> int:
    """Delete answers older than a week; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]
