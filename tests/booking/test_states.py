"""The table of transitions."""

import itertools

import pytest

from booking.domain.states import (
    FINAL,
    TABLE,
    By,
    Deed,
    NotYours,
    Status,
    WrongState,
    after,
    possible,
)


def test_the_main_journey() -> None:
    status: Status = Status.HELD
    for deed in (Deed.CONFIRM, Deed.CHECK_IN, Deed.COMPLETE):
        status = after(status, deed)

    assert status is Status.COMPLETED


@pytest.mark.parametrize(("status", "deed"), list(itertools.product(Status, Deed)))
def test_what_is_not_in_the_table_is_refused(status: Status, deed: Deed) -> None:
    if (status, deed) in TABLE:
        assert after(status, deed) is TABLE[status, deed].target
        return
    with pytest.raises(WrongState) as caught:
        after(status, deed)
    assert caught.value.context["booking_status"] == status


def test_nothing_leaves_a_final_status_and_every_status_is_reached() -> None:
    assert not any(possible(status) for status in FINAL)
    assert {step.target for step in TABLE.values()} | {Status.DRAFT} == set(Status)


@pytest.mark.parametrize(("status", "deed"), list(TABLE))
def test_a_deed_is_only_for_those_whom_the_table_names(status: Status, deed: Deed) -> None:
    for by in By:
        if by in TABLE[status, deed].by:
            assert after(status, deed, by) is TABLE[status, deed].target
        else:
            with pytest.raises(NotYours):
                after(status, deed, by)
