"""The life of a booking: one table says which deed leads from which status to which."""

from enum import StrEnum

from base_ops.core.errors import Conflict


class Status(StrEnum):
    """Where a booking stands; see PRODUCT, "The words"."""

    HELD = "held"
    PENDING_APPROVAL = "pending_approval"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


class Deed(StrEnum):
    """What can be done to a booking."""

    CONFIRM = "confirm"
    CHECK_IN = "check_in"
    COMPLETE = "complete"
    CANCEL = "cancel"
    RELEASE = "release"
    EXPIRE = "expire"


TABLE: dict[tuple[Status, Deed], Status] = {
    (Status.HELD, Deed.CONFIRM): Status.CONFIRMED,
    (Status.HELD, Deed.CANCEL): Status.CANCELLED,
    (Status.HELD, Deed.EXPIRE): Status.EXPIRED,
    (Status.PENDING_APPROVAL, Deed.CONFIRM): Status.CONFIRMED,
    (Status.PENDING_APPROVAL, Deed.CANCEL): Status.CANCELLED,
    (Status.CONFIRMED, Deed.CHECK_IN): Status.CHECKED_IN,
    (Status.CONFIRMED, Deed.CANCEL): Status.CANCELLED,
    (Status.CONFIRMED, Deed.RELEASE): Status.NO_SHOW,
    (Status.CHECKED_IN, Deed.COMPLETE): Status.COMPLETED,
}

# Their time is taken. A completed booking keeps its block too: it happened.
BLOCKING = (Status.HELD, Status.PENDING_APPROVAL, Status.CONFIRMED, Status.CHECKED_IN)
FINAL = (Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW, Status.EXPIRED)


class WrongState(Conflict):
    """The booking is not where this deed starts from."""

    code = "wrong_state"
    title_zh = "预订当前状态不允许此操作"
    title_en = "The booking's state does not allow this"


def after(status: str, deed: Deed) -> Status:
    """The status that `deed` leads to.

    Raises:
        WrongState: no such transition; names the deeds that would be possible.
    """
    if (target := TABLE.get((Status(status), deed))) is None:
        raise WrongState(
            f"cannot {deed} a booking that is {status}",
            booking_status=str(status),
            deed=str(deed),
            possible=[str(d) for d in possible(status)],
        )
    return target


def possible(status: str) -> list[Deed]:
    """The deeds that start from `status`."""
    return [deed for (source, deed) in TABLE if source == status]
