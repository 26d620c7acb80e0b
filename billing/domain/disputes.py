"""The states of statements and of objections to their lines."""

from collections.abc import Mapping
from enum import StrEnum

from base_ops.core.errors import Conflict


class StatementState(StrEnum):
    """A newer statement of the same month replaces one that is not confirmed."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"


class DisputeState(StrEnum):
    """Where an objection stands."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DisputeDeed(StrEnum):
    """What can be done to one."""

    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"


TABLE: Mapping[DisputeDeed, DisputeState] = {
    DisputeDeed.ACCEPT: DisputeState.ACCEPTED,
    DisputeDeed.REJECT: DisputeState.REJECTED,
    DisputeDeed.WITHDRAW: DisputeState.WITHDRAWN,
}


class DisputeClosed(Conflict):
    """It was answered or withdrawn; another can be raised."""

    code, title_zh, title_en = "dispute_closed", "该异议已处理", "This dispute is closed"


class DisputeOpen(Conflict):
    """The line has an objection that waits for an answer."""

    code, title_zh, title_en = "dispute_open", "该行已有未处理异议", "Disputed already"


class DisputesOpen(Conflict):
    """A statement is confirmed once every objection to its documents is answered."""

    code, title_zh, title_en = (
        "disputes_open",
        "尚有未处理的异议，不能确认",
        "Disputes are open: it cannot be confirmed",
    )


class StatementClosed(Conflict):
    """It is confirmed, or a newer one took its place."""

    code, title_zh, title_en = (
        "statement_closed",
        "对账单已确认或已被替换",
        "Confirmed or replaced already",
    )


def after(state: str, deed: DisputeDeed) -> DisputeState:
    """The state that `deed` leads to.

    Raises:
        DisputeClosed: it does not wait any more.
    """
    if state != DisputeState.RAISED:
        raise DisputeClosed(f"it is {state}", state=state)
    return TABLE[deed]
