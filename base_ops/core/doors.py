"""Ways in: the admin pages have no login of their own."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from base_ops.core import errors, problems

ADMIN = "/admin/"


def admin_login(request: HttpRequest) -> HttpResponse:
    """Send to the web app's login, where failures are counted and sessions recorded."""
    if request.user.is_authenticated:
        return problems.domain_error(request, errors.Forbidden("the admin pages are not yours"))
    wanted = request.GET.get("next", "")
    query = urlencode({"next": wanted if wanted.startswith(ADMIN) else ADMIN}, safe="")
    return HttpResponseRedirect(f"/login?{query}")
