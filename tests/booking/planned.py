"""What the plain model of the engine is made of: things taken, bookings, the line, blackouts."""

from dataclasses import dataclass, field

OFFER_MIN, HOLD_MIN, DRAFT_MIN, GRACE_MIN, AROUND_MIN = 30, 10, 30, 20, 240


@dataclass(frozen=True)
class Resource:
    """A space or pool: how many units, and the time around a booking."""

    name: str
    units: int = 1
    setup: int = 0
    teardown: int = 0
    shared: bool = False
    kind: str = ""

    def block(self, a: int, b: int) -> tuple[int, int]:
        """What a booking of [a, b) takes."""
        if self.shared:
            return a, b + max(self.setup, self.teardown)
        return a - self.setup, b + self.teardown


@dataclass
class Taking:
    """One resource unit taken for a block; `until` is the end of a hold."""

    resource: Resource
    unit: int
    a: int
    b: int
    until: int | None = None
    active: bool = True


@dataclass
class Booking:
    """A booking as people see it."""

    number: int
    tenant: int
    space: Resource
    a: int
    b: int
    units: int
    cameras: int
    status: str
    expires: int | None = None
    offered_to: "Waiting | None" = None
    series: int | None = None
    takings: list[Taking] = field(default_factory=list)


@dataclass
class Waiting:
    """Somebody in line."""

    number: int
    tenant: int
    space: Resource | None
    kind: str
    a: int
    b: int
    units: int
    status: str = "waiting"
    offer: Booking | None = None


@dataclass
class Blackout:
    """A space out of use."""

    number: int
    takings: list[Taking]


class Refused(Exception):
    """The engine should say no; the code is the problem's."""


def clash(one: Taking, other: Taking) -> bool:
    same = one.resource is other.resource and one.unit == other.unit
    return same and one.a < other.b and other.a < one.b
