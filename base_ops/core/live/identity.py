"""Who stands behind a socket, and whether they still may. Runs in the hub's threads."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import auth as django_auth
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from base_ops.core import auth
from base_ops.core.models.people import User

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user, by what they showed, and their rights as they were then."""

    user: User
    session_key: str | None
    token: str | None
    stamp: tuple[object, ...]

    @property
    def public(self) -> dict[str, Any]:
        """What `hello` says about the user."""
        return {"email": self.user.email, "name": self.user.name, "role": self.user.role}


def identify(headers: Headers, *, now: datetime) -> Caller | None:
    """The caller behind a handshake: a Bearer token or the session cookie; None: nobody."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = auth.user_of_token(token.strip(), now=now)
        return Caller(user, None, token.strip(), _stamp(user)) if user else None
    key = _session_key(headers.get("cookie", ""))
    user = _user_of_session(key) if key else None
    return Caller(user, key, None, _stamp(user)) if user else None


def ended(callers: Collection[Caller], *, now: datetime) -> set[Caller]:
    """Those whose session or token ended, who were disabled, or whose role or tenant changed."""
    keys = {c.session_key for c in callers if c.session_key}
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=now).values_list(
            "session_key", flat=True
        )
    )
    users = User.objects.select_related("tenant").in_bulk({c.user.pk for c in callers})
    return {c for c in callers if not _still(c, users.get(c.user.pk), alive, now=now)}


def _still(caller: Caller, user: User | None, alive: set[str], *, now: datetime) -> bool:
    if user is None or not user.is_active or _stamp(user) != caller.stamp:
        return False
    if caller.token is not None:
        return auth.user_of_token(caller.token, now=now) is not None
    return caller.session_key in alive


def _stamp(user: User) -> tuple[object, ...]:
    """What, when it changes, ends the rights that a socket was opened with."""
    return user.role, user.tenant_id, user.get_session_auth_hash()


def _session_key(cookie: str) -> str | None:
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return morsel.value if morsel else None


def _user_of_session(key: str) -> User | None:
    """The same answer as Django's authentication middleware gives."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = django_auth.get_user(request)
    return user if isinstance(user, User) and user.is_active else None
