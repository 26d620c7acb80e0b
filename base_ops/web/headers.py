"""Headers that tell a browser what our pages may do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

NO_CACHE = "no-cache"
FOREVER = "public, max-age=31536000, immutable"

PERMISSIONS = "camera=(self), microphone=(), geolocation=()"  # the camera reads check-in codes
_PAGE = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'{sockets}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
CONTENT_SECURITY_POLICY = _PAGE.format(sockets="")
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


def page_policy(host: str) -> str:
    """The policy of a page; older browsers do not count sockets of this host as 'self'."""
    return _PAGE.format(sockets=f" ws://{host} wss://{host}")


class SecurityHeaders:
    """Adds the content policy to every answer, and keeps API answers out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", _policy(request, response))
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("X-Content-Type-Options", "nosniff")
        if request.path.startswith("/api/"):
            response.setdefault("Cache-Control", "no-store")
        return response


def _policy(request: HttpRequest, response: HttpResponse) -> str:
    """A page may load what is ours; data may load nothing. A refused host has no page."""
    is_page = response.get("Content-Type", "").startswith("text/html")
    return (
        page_policy(request.get_host()) if is_page and response.status_code != 400 else DATA_POLICY
    )
