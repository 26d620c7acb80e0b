"""Who is calling: a session cookie with CSRF, or a personal token; and what their role allows."""

import functools
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from django.http import HttpRequest
from ninja.utils import check_csrf

from base_ops.core import clock, errors
from base_ops.core.actors import Actor
from base_ops.core.models.people import ApiToken, Role, Tenant, User

P = ParamSpec("P")
R = TypeVar("R")

TOKEN_PREFIX = "bo_"  # noqa: S105 - a prefix, not a secret
TOUCH_EVERY = timedelta(minutes=1)
# Every request by token asks this first; the ORM would take ten times longer to build it.
_HOLDER_SQL = """
SELECT u.*, t.id AS token_id, t.expires_at AS token_expires_at, t.last_used_at AS token_used_at
FROM core_apitoken t JOIN core_user u ON u.id = t.user_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND u.is_active
"""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfFailed(errors.Forbidden):
    """A write by cookie without the CSRF header."""

    code, title_zh, title_en = (
        "csrf_failed",
        "页面已过期,请刷新",
        "The page has expired, reload it",
    )


def signed_in(request: HttpRequest) -> User | None:
    """ninja's auth callable: the caller, from `Authorization: Bearer` or the session cookie.

    Raises:
        CsrfFailed: a write by cookie without a valid X-CSRFToken.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = user_of_token(token.strip(), now=clock.now())
        if user is not None:
            request.user = user
        return user
    user = request.user if isinstance(request.user, User) else None
    if user is not None and request.method not in _SAFE and check_csrf(request) is not None:
        raise CsrfFailed("send the csrftoken cookie back as X-CSRFToken")
    return user


def user_of_token(token: str, *, now: datetime) -> User | None:
    """The active user behind a personal token, or None when it is unknown, expired or revoked."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    user = next(iter(User.objects.raw(_HOLDER_SQL, [_digest(token)])), None)
    if user is None:
        return None
    seen: Any = user  # carries the token's columns too
    if seen.token_expires_at is not None and seen.token_expires_at <= now:
        return None
    if seen.token_used_at is None or now - seen.token_used_at > TOUCH_EVERY:
        ApiToken.objects.filter(pk=seen.token_id).update(last_used_at=now)
    return user


def new_token(
    *, user: User, name: str, expires_at: datetime | None = None, now: datetime
) -> tuple[str, ApiToken]:
    """Make a token; the clear text is returned this once and kept nowhere."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=token[:10],
        digest=_digest(token),
        created_at=now,
        expires_at=expires_at,
    )
    return token, row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def user_of(request: HttpRequest) -> User:
    """The signed-in caller.

    Raises:
        errors.Unauthenticated: nobody is signed in.
    """
    if not isinstance(request.user, User):
        raise errors.Unauthenticated
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """The caller as audit rows and commands name them."""
    return user_of(request).actor


def tenant_of(request: HttpRequest) -> Tenant | None:
    """The caller's tenant, or None for people of the base."""
    return user_of(request).tenant


def roles(*allowed: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only these roles through; administrators always.

    Raises:
        errors.Forbidden: another role.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            request: Any = args[0] if args else kwargs["request"]
            check_role(user_of(request), *allowed)
            return view(*args, **kwargs)

        return guarded

    return decorate


def check_role(user: User, *allowed: Role) -> None:
    """Raise errors.Forbidden unless the user's role is among `allowed` or administrator."""
    if user.role != Role.ADMIN and user.role not in allowed:
        raise errors.Forbidden(
            f"role {user.role} may not do this", allowed=sorted({str(r) for r in allowed})
        )


def require_csrf(request: HttpRequest) -> None:
    """Raise CsrfFailed unless the request carries the CSRF token (sign-in has no session yet)."""
    if check_csrf(request) is not None:
        raise CsrfFailed("read GET /session first and send its csrf as X-CSRFToken")
