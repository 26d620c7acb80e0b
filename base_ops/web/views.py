"""The one page of the web app, for every address that is not something else."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from base_ops.web.headers import NO_CACHE

_NOT_BUILT = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>网页尚未构建 · The web app is not built</title>
<h1>网页尚未构建</h1><p>接口已运行。请在项目目录运行 <code>./run</code>,它会构建网页;
或在 <code>frontend/</code> 中运行 <code>npm ci &amp;&amp; npm run build</code>。</p>
<h1>The web app is not built</h1><p>The API runs. <code>./run</code> builds the web app, or run
<code>npm ci &amp;&amp; npm run build</code> in <code>frontend/</code>.</p></html>
"""


@require_safe
@ensure_csrf_cookie
def index(request: HttpRequest) -> HttpResponse:
    """index.html as built; when it is missing, 503 and how to build it."""
    page = Path(settings.FRONTEND_DIST) / "index.html"
    try:
        response = HttpResponse(page.read_bytes())
    except FileNotFoundError:
        response = HttpResponse(_NOT_BUILT, status=503)
    response["Cache-Control"] = NO_CACHE
    return response
