"""The code on a document by which anybody can check it: its number and a seal over it."""

import io
from functools import lru_cache

import segno
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from base_ops.core.errors import NotFound

_SALT = "billing.verify"
_SEAL = 16  # hex digits: 64 bits, and asking is limited


class NotProven(NotFound):
    """The code is not one of ours."""

    code, title_zh, title_en = "not_proven", "无法验证该单据", "This document cannot be verified"


def token(number: str) -> str:
    """E.g. PYB-2026-000001.9f86d081884c7d65; the same each time."""
    return f"{number}.{_seal(number)}"


def number_of(text: str) -> str:
    """The number under the seal.

    Raises:
        NotProven: the seal is not ours.
    """
    number, _, seal = text.rpartition(".")
    if not number or not constant_time_compare(seal.encode(), _seal(number).encode()):
        raise NotProven(text[:40])
    return number


def _seal(number: str) -> str:
    return salted_hmac(_SALT, number, algorithm="sha256").hexdigest()[:_SEAL]


def address(number: str) -> str:
    """Where the code leads."""
    return f"{settings.PUBLIC_URL}/verify/{token(number)}"


@lru_cache(maxsize=256)
def picture(text: str) -> str:
    """The code as SVG."""
    out = io.BytesIO()
    code = segno.make(text, error="l", micro=False, mask=2, boost_error=False)
    code.save(out, kind="svg", border=0, xmldecl=False, omitsize=True)
    return out.getvalue().decode()
