"""Amounts in Chinese capitals (人民币大写), as invoices and cheques carry them.

Source: 支付结算办法, 附一《正确填写票据和结算凭证的基本规定》 (People's Bank of China).
"""

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("仟", "佰", "拾", "")
LIMIT_FEN = 10**18
"""Amounts below 10^16 yuan have a customary reading."""


def capitals(amount_fen: int) -> str:
    """The amount in capitals, e.g. 140950 -> "壹仟肆佰零玖元伍角整".

    A negative amount, as on a credit note, starts with （负数）.

    Raises:
        ValueError: |amount| is 10^16 yuan or more.
    """
    if abs(amount_fen) >= LIMIT_FEN:
        raise ValueError(f"too large for capitals: {amount_fen} fen")
    sign = "（负数）" if amount_fen < 0 else ""
    yuan, rest = divmod(abs(amount_fen), 100)
    jiao, fen = divmod(rest, 10)
    if not (yuan or rest):
        return "零元整"
    whole = f"{_integer(yuan)}元" if yuan else ""
    return (
        sign
        + whole
        + _cents(jiao, fen, after_zero=bool(yuan) and yuan % 10 == 0, whole=bool(yuan))
    )


def _cents(jiao: int, fen: int, *, after_zero: bool, whole: bool) -> str:
    """What follows 元. 整 closes yuan and jiao, never fen."""
    if not jiao and not fen:
        return "整"
    if not jiao:
        return f"{'零' if whole else ''}{DIGITS[fen]}分"
    text = f"{'零' if after_zero else ''}{DIGITS[jiao]}角"
    return text + (f"{DIGITS[fen]}分" if fen else "整")


def _integer(number: int) -> str:
    """A positive integer, split at 亿, then at 万."""
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(number, unit)
        if high:
            gap = "零" if 0 < low < unit // 10 else ""
            return f"{_integer(high)}{name}{gap}{_integer(low) if low else ''}"
    return _four(number)


def _four(number: int) -> str:
    """1 to 9999; zeros between digits collapse into one 零."""
    text, pending = "", False
    for place, name in enumerate(PLACES):
        digit = number // 10 ** (3 - place) % 10
        if digit:
            text += ("零" if pending else "") + DIGITS[digit] + name
        pending = bool(text) and digit == 0
    return text
