"""The public page behind a document's code: what it proves, for people and for programs."""

import hashlib

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.views.decorators.http import require_safe

from base_ops.core import money, problems
from base_ops.core.errors import TooMany
from billing.documents import proof
from billing.domain.masking import masked
from billing.models import Invoice
from billing.schemas.seller import VerifiedOut

PER_MINUTE = 30
WINDOW_S = 60


class AskedTooOften(TooMany):
    """More checks from one address than a person makes."""

    code, title_zh, title_en = "verify_too_often", "验证过于频繁", "Verified too often"


def verified(request: HttpRequest, token: str) -> VerifiedOut:
    """What a code proves.

    Raises:
        AskedTooOften: more than 30 times a minute from one address.
        proof.NotProven: it is not ours.
    """
    _count(request)
    row = Invoice.objects.filter(number=proof.number_of(token)).first()
    if row is None:
        raise proof.NotProven(token[:40])
    return VerifiedOut(
        number=str(row.number),
        kind=row.kind,
        status=row.status,
        seller_zh=row.seller["name_zh"],
        buyer_masked=masked(row.buyer["name_zh"]),
        issued_on=row.issued_on,
        gross_fen=row.gross_fen,
    )


def _count(request: HttpRequest) -> None:
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    proxied = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) is not None
    address = (proxied and forwarded) or request.META.get("REMOTE_ADDR", "")
    key = "verify:" + hashlib.sha256(address.encode()).hexdigest()
    if cache.add(key, 1, WINDOW_S):
        return
    try:
        asked = cache.incr(key)
    except ValueError:  # the window ended since the line above
        cache.set(key, 1, WINDOW_S)
        return
    if asked > PER_MINUTE:
        raise AskedTooOften(retry_after_s=WINDOW_S)


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>单据验证 · Verify</title></head>
<body><main>
<h1>{% if found %}✓ 单据真实 · Genuine{% else %}✗ 无法验证 · Not verified{% endif %}</h1>
{% if found %}<dl>
<dt>单据号 · Number</dt><dd>{{ found.number }}</dd>
<dt>类型 · Kind</dt><dd>{{ kind }}</dd>
<dt>销售方 · Seller</dt><dd>{{ found.seller_zh }}</dd>
<dt>购买方 · Buyer</dt><dd>{{ found.buyer_masked }}</dd>
<dt>开具日期 · Issued</dt><dd>{{ day }}</dd>
<dt>价税合计 · Gross</dt><dd>¥ {{ gross }}</dd>
<dt>状态 · Status</dt><dd>{{ status }}</dd></dl>{% endif %}</main></body></html>"""
_KINDS = {"invoice": "费用账单 · Invoice", "credit_note": "红字账单 · Credit note"}


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    """The same for people."""
    try:
        found = verified(request, token)
    except AskedTooOften as exc:
        refusal = problems.domain_error(request, exc)
        refusal["Retry-After"] = str(WINDOW_S)
        return refusal
    except proof.NotProven:
        return _page({"found": None}, 404)
    return _page(
        {
            "found": found,
            "kind": _KINDS[found.kind],
            "day": found.issued_on.isoformat(),
            "gross": money.yuan(found.gross_fen),
            "status": "已开具 · Issued",
        },
        200,
    )


def _page(words: dict[str, object], status: int) -> HttpResponse:
    text = engines["django"].from_string(_PAGE).render(words)
    answer = HttpResponse(text, status=status)
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer
