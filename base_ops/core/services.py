"""Deeds on people and sessions."""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import auth as django_auth
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from base_ops.core import audit, errors
from base_ops.core import auth as core_auth
from base_ops.core.models import ApiToken, User

MAX_FAILURES = 10
MAX_FAILURES_OF_CALLER = 50
FAILURE_WINDOW = timedelta(minutes=5)
MAX_TOKENS = 20


class SignInFailed(errors.Unauthenticated):
    """Unknown address or wrong password: deliberately not said which."""

    code, title_zh, title_en = "sign_in_failed", "邮箱或密码不正确", "Wrong e-mail or password"


class TooManyFailures(errors.TooMany):
    """The address failed too often."""

    code, title_zh, title_en = (
        "too_many_failures",
        "尝试次数过多,请稍后再试",
        "Too many attempts, wait a little",
    )


class TooManyTokens(errors.Conflict):
    """The user has as many tokens as allowed."""

    code, title_zh, title_en = "too_many_tokens", "令牌数量已达上限", "No more tokens allowed"


def sign_in(*, request: HttpRequest, email: str, password: str, now: datetime) -> User:
    """Start a session.

    Raises:
        SignInFailed: no active user with this address and password.
        TooManyFailures: ten failures for this address, or fifty from this caller, within five
            minutes.
    """
    tries = "sign-in:" + hashlib.sha256(email.lower().encode()).hexdigest()
    caller = "sign-in-from:" + _caller(request)
    if cache.get(tries, 0) >= MAX_FAILURES or cache.get(caller, 0) >= MAX_FAILURES_OF_CALLER:
        raise TooManyFailures
    user = django_auth.authenticate(request, username=email.lower(), password=password)
    if not isinstance(user, User):
        _count(tries)
        _count(caller)
        raise SignInFailed
    with transaction.atomic():
        django_auth.login(request, user)
        _record(user, "session.start", now)
    return user


def _count(key: str) -> None:
    """One failure more, within the window of the first."""
    window = FAILURE_WINDOW.total_seconds()
    if cache.add(key, 1, window):
        return
    try:
        cache.incr(key)
    except ValueError:  # it ended, or was evicted, since the line above
        cache.set(key, 1, window)


def _caller(request: HttpRequest) -> str:
    """The network address of the caller: behind our proxy, the one that the proxy added last."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    proxied = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) is not None
    address = (proxied and forwarded) or request.META.get("REMOTE_ADDR", "")
    return hashlib.sha256(address.encode()).hexdigest()


def sign_out(*, request: HttpRequest, now: datetime) -> None:
    """End the session, if there is one."""
    if isinstance(request.user, User):
        _record(request.user, "session.end", now)
    django_auth.logout(request)


def create_token(
    *, user: User, name: str, expires_at: datetime | None, now: datetime
) -> tuple[str, ApiToken]:
    """Make a personal token; returns the clear text once.

    Raises:
        errors.Invalid: `expires_at` is not in the future.
        TooManyTokens: the user has 20 live ones.
    """
    if expires_at is not None and expires_at <= now:
        fault = errors.FieldFault("expires_at", "必须晚于现在", "must be in the future")
        raise errors.Invalid("the token would be born expired", fields=[fault])
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.api_tokens.filter(revoked_at=None).count() >= MAX_TOKENS:
            raise TooManyTokens(limit=MAX_TOKENS)
        token, row = core_auth.new_token(user=user, name=name, expires_at=expires_at, now=now)
        _record(user, "token.create", now, row.prefix)
    return token, row


def revoke_token(*, user: User, token_id: int, now: datetime) -> None:
    """End one of the user's own tokens at once; again is harmless.

    Raises:
        errors.NotFound: not a token of this user.
    """
    with transaction.atomic():
        row = user.api_tokens.select_for_update().filter(pk=token_id).first()
        if row is None:
            raise errors.NotFound(f"no token {token_id}")
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            _record(user, "token.revoke", now, row.prefix)


def _record(user: User, action: str, now: datetime, code: str = "") -> None:
    audit.record(
        actor=user.actor,
        action=action,
        object_type="token" if code else "user",
        object_code=code or user.email,
        now=now,
    )
