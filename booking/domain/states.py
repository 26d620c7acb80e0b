"""The life of a booking: one table says which deed leads where, and by whom it may be done."""

from dataclasses import dataclass
from enum import StrEnum

from base_ops.core.errors import Conflict, Forbidden


class Status(StrEnum):
    """Where a booking stands; see PRODUCT, "The words"."""

    DRAFT = "draft"
    HELD = "held"
    PENDING_APPROVAL = "pending_approval"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    RELEASED = "released"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


class Deed(StrEnum):
    """What can be done to a booking."""

    HOLD = "hold"
    REQUEST = "request"
    CONFIRM = "confirm"
    APPROVE = "approve"
    REJECT = "reject"
    CHECK_IN = "check_in"
    COMPLETE = "complete"
    CANCEL = "cancel"
    RELEASE = "release"
    MISS = "miss"
    EXPIRE = "expire"


class By(StrEnum):
    """Who may do a deed: the tenant's people, those of the base, time itself."""

    TENANT = "tenant"
    BASE = "base"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a deed leads, and who may do it."""

    target: Status
    by: frozenset[By]


_ANYBODY = frozenset({By.TENANT, By.BASE})
_BASE = frozenset({By.BASE})
_TIME = frozenset({By.TIME})

TABLE: dict[tuple[Status, Deed], Step] = {
    (Status.DRAFT, Deed.HOLD): Step(Status.HELD, _ANYBODY),
    (Status.DRAFT, Deed.REQUEST): Step(Status.PENDING_APPROVAL, _ANYBODY),
    (Status.DRAFT, Deed.CONFIRM): Step(Status.CONFIRMED, _ANYBODY),
    (Status.DRAFT, Deed.CANCEL): Step(Status.CANCELLED, _ANYBODY),
    (Status.DRAFT, Deed.EXPIRE): Step(Status.EXPIRED, _TIME),
    (Status.HELD, Deed.REQUEST): Step(Status.PENDING_APPROVAL, _ANYBODY),
    (Status.HELD, Deed.CONFIRM): Step(Status.CONFIRMED, _ANYBODY),
    (Status.HELD, Deed.CANCEL): Step(Status.CANCELLED, _ANYBODY),
    (Status.HELD, Deed.EXPIRE): Step(Status.EXPIRED, _TIME),
    (Status.PENDING_APPROVAL, Deed.APPROVE): Step(Status.CONFIRMED, _BASE),
    (Status.PENDING_APPROVAL, Deed.REJECT): Step(Status.REJECTED, _BASE),
    (Status.PENDING_APPROVAL, Deed.CANCEL): Step(Status.CANCELLED, _ANYBODY),
    (Status.PENDING_APPROVAL, Deed.EXPIRE): Step(Status.EXPIRED, _TIME),
    (Status.CONFIRMED, Deed.CHECK_IN): Step(Status.CHECKED_IN, frozenset(By)),
    (Status.CONFIRMED, Deed.CANCEL): Step(Status.CANCELLED, _ANYBODY),
    (Status.CONFIRMED, Deed.RELEASE): Step(Status.RELEASED, _BASE),
    (Status.CONFIRMED, Deed.MISS): Step(Status.NO_SHOW, _TIME),
    (Status.CHECKED_IN, Deed.COMPLETE): Step(Status.COMPLETED, frozenset(By)),
}

# Their time is taken. A completed booking keeps its block too: it happened.
BLOCKING = (Status.HELD, Status.PENDING_APPROVAL, Status.CONFIRMED, Status.CHECKED_IN)
FINAL = (
    Status.COMPLETED,
    Status.CANCELLED,
    Status.REJECTED,
    Status.RELEASED,
    Status.NO_SHOW,
    Status.EXPIRED,
)
# As if they had never been: their date of a series may be booked again.
GIVEN_BACK = (Status.CANCELLED, Status.REJECTED, Status.RELEASED, Status.EXPIRED)
# Nobody decided about them yet: their title, time and room may still change freely.
OPEN = (Status.DRAFT, Status.HELD, Status.PENDING_APPROVAL)


class WrongState(Conflict):
    """The booking is not where this deed starts from."""

    code = "wrong_state"
    title_zh = "预订当前状态不允许此操作"
    title_en = "The booking's state does not allow this"


class NotYours(Forbidden):
    """The deed exists, but is not for this kind of caller."""

    code = "deed_not_yours"
    title_zh = "此操作由基地人员或系统执行"
    title_en = "This is not for you to do"


def after(status: str, deed: Deed, by: By | None = None) -> Status:
    """The status that `deed` leads to.

    Raises:
        WrongState: no such transition; names the deeds that would be possible.
        NotYours: there is one, but not for `by` (None: whoever asks was judged before).
    """
    if (step := TABLE.get((Status(status), deed))) is None:
        raise WrongState(
            f"cannot {deed} a booking that is {status}",
            booking_status=str(status),
            deed=str(deed),
            possible=[str(d) for d in possible(status)],
        )
    if by is not None and by not in step.by:
        raise NotYours(f"{deed} is done by: {', '.join(sorted(step.by))}", deed=str(deed))
    return step.target


def possible(status: str, by: By | None = None) -> list[Deed]:
    """The deeds that start from `status`, for everybody or for one kind of caller."""
    return [
        deed
        for (source, deed), step in TABLE.items()
        if source == status and (by is None or by in step.by)
    ]
