"""Signed quotes: a price that books, or not at all, for half an hour."""

import functools
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core import signing

from base_ops.core import errors
from base_ops.core.actors import Actor
from billing import services as billing
from billing.domain.quote import Quote
from booking.services import judging
from booking.services.wishes import BookingWish, price

QUOTE_TTL = timedelta(minutes=30)
_SALT = "booking.quote"


class QuoteChanged(errors.Conflict):
    """The price is not the one that was quoted; the new quote is in the answer."""

    code, title_zh, title_en = "quote_changed", "价格已变化,请重新确认", "The price has changed"


class QuoteExpired(errors.Conflict):
    """The quote is too old, not ours, or for something else."""

    code, title_zh, title_en = "quote_expired", "报价已失效", "The quote is no longer valid"


def offer_quote(*, wish: BookingWish, actor: Actor | None = None, now: datetime) -> dict[str, Any]:
    """A quote and a signed token that books at this price, or not at all, for half an hour.

    Raises:
        rules.RulesBroken: the wish could never be booked.
        billing's BookingSuspended: a policy's gate is shut for this tenant.
    """
    quoted = functools.cache(partial(price, wish, now=now))
    ruling = judging.judge(wish=wish, actor=actor, price_fen=lambda: quoted().total_fen, now=now)
    quote = quoted()
    if quote.suspended:
        raise billing.BookingSuspended(wish.tenant.code)
    expires_at = now + QUOTE_TTL
    token = signing.dumps(
        [wish.fingerprint(), quote.total_fen, int(expires_at.timestamp())], salt=_SALT
    )
    return {
        "quote": quote.as_json(),
        "token": token,
        "expires_at": expires_at,
        "rules_version": ruling.version,
        "approvals": list(ruling.approvals),
    }


def check_quote(wish: BookingWish, quote: Quote, *, now: datetime) -> None:
    """Compare with the price the caller saw, if they say which.

    Raises:
        QuoteExpired: too old, forged, or of another wish.
        QuoteChanged: the price moved meanwhile.
    """
    if wish.quote_token is None:
        return
    try:
        fingerprint, total_fen, expires = signing.loads(wish.quote_token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise QuoteExpired("not a quote of ours") from exc
    if expires <= now.timestamp() or fingerprint != wish.fingerprint():
        raise QuoteExpired("ask for a new quote")
    if total_fen != quote.total_fen:
        raise QuoteChanged(quote=quote.as_json(), quoted_fen=total_fen)
