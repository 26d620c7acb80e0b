"""Split whole fen so that the parts add up exactly."""

from collections.abc import Sequence


def equal(total: int, parts: int) -> tuple[int, ...]:
    """Equal instalments; the first ones carry the odd fen."""
    each, rest = divmod(total, parts)
    return tuple(each + (i < rest) for i in range(parts))


def pro_rata(amounts: Sequence[int], limit: int) -> tuple[int, ...]:
    """Cut amounts in proportion so that they add up to `limit` or less, never above it.

    Each gets the whole fen of its share; what is left goes to the largest remainders, of equal
    ones to the larger amount, then to the earlier. Nobody gets more than the amount.
    """
    total, limit = sum(amounts), max(limit, 0)
    if total <= limit:
        return tuple(amounts)
    shares = [divmod(amount * limit, total) for amount in amounts]
    given = [whole for whole, _ in shares]
    by_rest = sorted(range(len(amounts)), key=lambda i: (-shares[i][1], -amounts[i], i))
    for i in by_rest[: limit - sum(given)]:
        given[i] += 1
    return tuple(given)
