"""Money as integer fen (1 yuan = 100 fen), rounded half up, once."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation


def round_half_up(amount: Decimal) -> int:
    """The nearest integer; a half goes away from zero, as Chinese tax practice does."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def fen(yuan: str | Decimal) -> int:
    """Integer fen of an amount in yuan.

    Raises:
        ValueError: not a finite number, or finer than one fen.
    """
    try:
        amount = Decimal(yuan) * 100
    except InvalidOperation as exc:
        raise ValueError(f"not an amount: {yuan!r}") from exc
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(f"not a whole number of fen: {yuan!r}")
    return int(amount)


def yuan(amount_fen: int) -> str:
    """Yuan with two places, e.g. -123456 -> "-1234.56"."""
    sign = "-" if amount_fen < 0 else ""
    whole, rest = divmod(abs(amount_fen), 100)
    return f"{sign}{whole}.{rest:02d}"


def split_vat(gross_fen: int, rate: Decimal) -> tuple[int, int]:
    """Split a tax-inclusive amount into (net, VAT), both in fen.

    net = gross / (1 + rate) rounded half up, VAT is the rest, so that net + VAT = gross.

    Source: pricing_rules.rounding of the demo data; the scheme of fully digital e-invoices.
    """
    net = round_half_up(Decimal(gross_fen) / (1 + rate))
    return net, gross_fen - net
