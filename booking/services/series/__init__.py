"""Series: look at all instances at once, book them, change and end them."""

from booking.services.series.editing import Edit, NothingToChange, edit
from booking.services.series.ending import add_again, cancel
from booking.services.series.looking import (
    Choice,
    Seen,
    SeriesWish,
    conflicts_json,
    expanded,
    lacking_json,
    look,
)
from booking.services.series.making import Made, Mode, create
from booking.services.series.proposing import propose
from booking.services.series.refusing import (
    InstanceNotFound,
    SeriesConflicts,
    SeriesRulesBroken,
)

__all__ = [
    "Choice",
    "Edit",
    "InstanceNotFound",
    "Made",
    "Mode",
    "NothingToChange",
    "Seen",
    "SeriesConflicts",
    "SeriesRulesBroken",
    "SeriesWish",
    "add_again",
    "cancel",
    "conflicts_json",
    "create",
    "edit",
    "expanded",
    "lacking_json",
    "look",
    "propose",
]
