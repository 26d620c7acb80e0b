"""Plane geometry of floor plans: rings of [x, y] in metres, counter-clockwise, not closed."""

from collections.abc import Sequence

Ring = Sequence[Sequence[float]]


def area(ring: Ring) -> float:
    """Signed area in m², positive when the ring runs counter-clockwise (shoelace formula)."""
    following = [*ring[1:], ring[0]]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, following, strict=True)) / 2


def encloses(ring: Ring, x: float, y: float) -> bool:
    """Whether a point lies inside (even-odd rule); on the border either answer may come."""
    inside = False
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]:
            inside = not inside
    return inside


def ring_of(value: object) -> list[list[float]]:
    """A ring as read from JSON.

    Raises:
        ValueError: not at least three pairs of finite numbers, or no area, or clockwise.
    """
    if not isinstance(value, list) or len(value) < 3:
        raise ValueError("a ring needs at least three points")
    ring = []
    for point in value:
        match point:
            case [int() | float() as x, int() | float() as y] if abs(x) < 1e6 and abs(y) < 1e6:
                ring.append([float(x), float(y)])
            case _:
                raise ValueError(f"not a point: {str(point)[:40]}")
    if area(ring) <= 0:
        raise ValueError("a ring runs counter-clockwise around some area")
    return ring
