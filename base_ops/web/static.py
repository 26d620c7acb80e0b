"""Serves the built frontend's files before Django is asked; hashed ones stay in caches."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.headers import Headers

from django.conf import settings
from whitenoise import WhiteNoise

from base_ops.web.headers import CONTENT_SECURITY_POLICY, FOREVER, NO_CACHE

_HASHED = re.compile(r"^/assets/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+$")
Wsgi = Callable[..., Iterable[bytes]]


def with_frontend(wsgi: Wsgi) -> Wsgi:
    """`wsgi` with frontend/dist in front of it, as it was built when the server started."""
    dist = Path(settings.FRONTEND_DIST)
    if not dist.is_dir():
        return wsgi
    files = WhiteNoise(wsgi, add_headers_function=_headers)
    files.add_files(str(dist), prefix="/")
    files.files.pop("/index.html", None)  # the view answers it, with its cookie
    served: Wsgi = files
    return served


def _headers(headers: Headers, path: str, url: str) -> None:
    """What every file carries."""
    headers["Cache-Control"] = FOREVER if _HASHED.match(url) else NO_CACHE
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
