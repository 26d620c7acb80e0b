"""The table of transitions."""

import itertools

import pytest

from booking.domain.states import FINAL, TABLE, Deed, Status, WrongState, after, possible


def test_the_main_journey() -> None:
    status: Status = Status.HELD
    for deed in (Deed.CONFIRM, Deed.CHECK_IN, Deed.COMPLETE):
        status = after(status, deed)

    assert status is Status.COMPLETED


@pytest.mark.parametrize(("status", "deed"), list(itertools.product(Status, Deed)))
def test_what_is_not_in_the_table_is_refused(status: Status, deed: Deed) -> None:
    if (status, deed) in TABLE:
        assert after(status, deed) is TABLE[status, deed]
        return
    with pytest.raises(WrongState) as caught:
        after(status, deed)
    assert caught.value.context["booking_status"] == status


def test_nothing_leaves_a_final_status_and_every_status_is_reached() -> None:
    assert not any(possible(status) for status in FINAL)
    assert set(TABLE.values()) | {Status.HELD, Status.PENDING_APPROVAL} == set(Status)
