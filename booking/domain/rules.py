"""What the rest of booking calls rules: the grid of times, and what a broken rule is."""

from booking.domain.grid import ZONE, ceil_to_grid, floor_to_grid
from booking.domain.rulebook.verdict import Broken, RulesBroken

__all__ = ["ZONE", "Broken", "RulesBroken", "ceil_to_grid", "floor_to_grid"]
