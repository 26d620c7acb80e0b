"""What booking tells, to whom, and how often."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from base_ops.core.actors import SYSTEM
from base_ops.core.models import Notice, Role
from base_ops.core.notifications import templates
from booking.models import Booking, Series
from booking.services import telling
from tests import make
from tests.booking import world

pytestmark = pytest.mark.usefixtures("prices")

Tell = Callable[[Booking, datetime], None]
EVENTS: dict[str, Tell] = {
    "booking.confirmed": lambda b, now: telling.confirmed(b, now=now),
    "booking.pending_approval": lambda b, now: telling.approval_needed(b, reason="r", now=now),
    "booking.approved": lambda b, now: telling.approved(b, now=now),
    "booking.rejected": lambda b, now: telling.rejected(b, reason="", now=now),
    "booking.cancelled": lambda b, now: telling.cancelled(b, reason="r", now=now),
    "booking.moved": lambda b, now: telling.moved(
        b, old_space=b.space, old_starts_at=now, now=now
    ),
    "booking.released": lambda b, now: telling.missed(b, grace_min=20, now=now),
    "booking.starts_soon": lambda b, now: telling.starts_soon(b, now=now),
    "booking.ready_red_no_room": lambda b, now: telling.ready_red(b, now=now),
    "booking.ending_soon": lambda b, now: telling.ending_soon(b, minutes=5, now=now),
    "booking.extended": lambda b, now: telling.extended(b, now=now),
    "booking.room_late": lambda b, now: telling.room_late(b, free_at=now, now=now),
    "waitlist.offer_expired": lambda b, now: telling.waitlist_offer_expired(b, now=now),
    "handover.problem": lambda b, now: telling.handover_problem(b, note="n", now=now),
    "series.created": lambda b, now: telling.series_created(
        series="SR1", tenant_id=b.tenant_id, space=b.space, made=3, skipped=1, first_at=now,
        now=now,
    ),
    "series.changed": lambda b, now: telling.series_changed(
        series_of(b), changed=3, first_at=now, now=now
    ),
    "series.cancelled": lambda b, now: telling.series_cancelled(
        series_of(b), cancelled=3, first_at=now, reason="r", now=now
    ),
}  # fmt: skip
WITH_TERM: dict[str, Tell] = {
    "booking.held": lambda b, now: telling.held(b, actor=SYSTEM, now=now),
    "waitlist.offer": lambda b, now: telling.waitlist_offer(b, now=now),
}
FOR_STAFF = {"booking.pending_approval", "handover.problem"}


def series_of(booking: Booking) -> Series:
    """A series, unsaved, as the booking could be part of."""
    return Series(code="SR1", tenant=booking.tenant, space=booking.space)


def booked(now: datetime, **changes: Any) -> Booking:
    made = world.booked(now=now, **changes)
    Notice.objects.all().delete()
    return Booking.objects.select_related("space", "tenant").get(pk=made.pk)


@pytest.mark.parametrize("kind", sorted(EVENTS | WITH_TERM))
def test_each_event_is_one_statement_for_the_right_people_and_told_once(
    kind: str, now: datetime
) -> None:
    booking = booked(now, hold=kind in WITH_TERM)
    tell = (EVENTS | WITH_TERM)[kind]

    with CaptureQueriesContext(connection) as asked:
        tell(booking, now)
    tell(booking, now)

    notice = Notice.objects.get()
    assert len(asked) == 1
    assert notice.kind == kind
    wanted = "roles:" if kind in FOR_STAFF else f"tenant:{booking.tenant_id}"
    assert notice.audience.startswith(wanted)


# Told with an equal free room, where there is one.
WITH_ROOM = {"booking.ready_red", "booking.room_late_proposal"}


def test_every_template_of_booking_has_its_event() -> None:
    ours = {k for k in templates.known() if k.split(".")[0] != "notifications"}

    assert ours >= EVENTS.keys() | WITH_TERM.keys() | WITH_ROOM
    assert {
        k for k in ours if k.split(".")[0] in {"booking", "waitlist", "series", "handover"}
    } == (EVENTS.keys() | WITH_TERM.keys() | WITH_ROOM)


def test_a_hold_is_told_to_who_placed_it(now: datetime) -> None:
    booking = booked(now, hold=True)
    own = make.user(Role.TENANT_MEMBER, tenant=booking.tenant)

    telling.held(booking, actor=own.actor, now=now)

    assert Notice.objects.get().audience == f"user:{own.pk}"


def test_a_red_light_names_reasons_and_the_room_that_is_free(now: datetime) -> None:
    booking = booked(now)
    booking.ready_reasons = [{"code": "x", "device": "S1-CAM", "zh": "离线", "en": "is offline"}]
    booking.proposal = {"space": "S9", "name_zh": "九号", "name_en": "Nine"}

    telling.ready_red(booking, now=now)

    notice = Notice.objects.get()
    text = templates.rendered(templates.known()[notice.kind], notice.params, "en")
    assert "S1-CAM is offline" in text.body
    assert "Nine" in text.title


def test_each_mark_and_each_extension_is_news(now: datetime) -> None:
    booking = booked(now)
    for minutes in (10, 5, 5):
        telling.ending_soon(booking, minutes=minutes, now=now)
    for quarter in (1, 2, 2):
        booking.overtime_until = booking.ends_at + timedelta(minutes=15 * quarter)
        telling.extended(booking, now=now)

    kinds = list(Notice.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["booking.ending_soon"] * 2 + ["booking.extended"] * 2
