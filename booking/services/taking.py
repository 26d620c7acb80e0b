"""Take the slot: free places for everything, or exactly what is lacking."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from base_ops.core import errors, statements
from base_ops.core.statements import Answer
from booking import selectors
from booking.models import Booking
from booking.services import locking, resources, waitlist
from booking.services.locking import Place
from booking.services.resources import Lack, Picked
from booking.services.wishes import BookingWish


class SlotTaken(errors.Conflict):
    """Somebody else was faster; says what is in the way, what is lacking, what would be free.

    Alternatives and offers are looked up when the context is first read: by then the caller's
    transaction has given the room back, and nobody waits for the search. Who does not read pays
    nothing.
    """

    code, title_zh, title_en = "slot_taken", "该时段已被占用", "This slot is taken"

    def __init__(
        self, conflicts: list[dict[str, Any]], search: Callable[[], Mapping[str, object]]
    ) -> None:
        self._search = search
        self._conflicts = conflicts
        super().__init__("the slot is taken, buffers included", conflicts=conflicts)

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """What is in the way; of others only that they are busy."""
        return self._conflicts

    @property
    def context(self) -> dict[str, object]:
        """What is in the way, and other times and rooms."""
        if "alternatives" not in self._known:
            self._known |= self._search()
        return self._known

    @context.setter
    def context(self, known: dict[str, object]) -> None:
        self._known = known


def picked_or_refused(wish: BookingWish, picked: Picked, *, now: datetime) -> Sequence[Place]:
    """The free places that were picked for everything that is needed.

    Raises:
        SlotTaken: something is lacking; names exactly what, with equal ones.
    """
    if picked.lacks:
        raise slot_taken(wish, picked.lacks, now=now)
    return picked.places


def occupy(booking: Booking, wish: BookingWish, places: Sequence[Place], *, now: datetime) -> None:
    """Take the places of a booking, and write down what is beside its room.

    Raises:
        SlotTaken: as `take`.
    """
    if wish.extras and not booking.part_count:
        resources.keep_parts(booking, resources.needs_of(wish))
    take(booking, wish, places, now=now)


def ask_to_occupy(booking: Booking, wish: BookingWish, places: Sequence[Place]) -> Answer:
    """Write a new booking and take its places in one statement, and what is beside its room."""
    answer = locking.ask_with(*statements.insertion_of(booking), booking, places)
    if wish.extras:
        booking.pk = _id_of(booking, answer)
        resources.keep_parts(booking, resources.needs_of(wish))
    return answer


def _id_of(booking: Booking, answer: Answer) -> int:
    """The id of a booking that was just written; no place tells it when none could be taken."""
    if answer.rows:
        return int(answer.rows[0][0])
    return Booking.objects.values_list("pk", flat=True).get(code=booking.code)


def occupied(
    answer: Answer, booking: Booking, wish: BookingWish, places: Sequence[Place], *, now: datetime
) -> None:
    """See that all places could be taken, and take them after all where they can be freed.

    Raises:
        SlotTaken: as `take`.
    """
    booking.pk = _id_of(booking, answer)
    if answer.count != len(places):
        _take_what_lapsed(booking, wish, places, now=now)


def take(booking: Booking, wish: BookingWish, places: Sequence[Place], *, now: datetime) -> None:
    """Take the places; what stands in the way can only be a hold whose time is over: drop it.

    Raises:
        SlotTaken: it was something else after all, or others wait for what the hold leaves.
    """
    if not locking.allocate(booking, places):
        _take_what_lapsed(booking, wish, places, now=now)


def _take_what_lapsed(
    booking: Booking, wish: BookingWish, places: Sequence[Place], *, now: datetime
) -> None:
    booking.allocations.filter(active=True).delete()
    spaces = {p.space_id for p in places if p.space_id is not None}
    pools = {p.pool_id for p in places if p.pool_id is not None}
    dropped = locking.drop_expired(spaces, pools, now=now)
    if dropped and booking.source != waitlist.SOURCE:
        # Who waits comes first: the job that tidies the hold up makes them an offer.
        window = selectors.buffers(wish.space).block(wish.span)
        if waitlist.somebody_waits(spaces, window, now=now):
            raise slot_taken(wish, (), now=now)
    if not dropped or not locking.allocate(booking, places):
        raise slot_taken(wish, (), now=now)


def slot_taken(wish: BookingWish, lacks: Sequence[Lack], *, now: datetime) -> SlotTaken:
    """The refusal: conflicts now, alternatives and equal ones when somebody reads them."""
    tenant_id = wish.tenant.pk
    conflicts = [
        resources.conflict_json(taken, lack.need.resource.code, tenant_id)
        for lack in lacks
        for taken in lack.takings
    ]
    return SlotTaken(conflicts, partial(_ways_out, wish, lacks, now=now))


def _ways_out(wish: BookingWish, lacks: Sequence[Lack], *, now: datetime) -> dict[str, object]:
    """For the room: other times, and equal rooms; for what is beside it: equal ones."""
    alternatives: list[dict[str, Any]] = []
    if not lacks or any(lack.need.resource == wish.space for lack in lacks):
        alternatives = selectors.alternatives(
            wish.space, wish.span, wish.headcount, units=wish.units, renter=wish.tenant, now=now
        )
    rooms = [
        {"kind": "space", "code": a["space"], "name_zh": a["name_zh"], "name_en": a["name_en"]}
        for a in alternatives
        if a["kind"] == "space"
    ]
    lacking = [
        resources.lack_json(lack, tenant_id=wish.tenant.pk)
        | {
            "offers": rooms
            if lack.need.resource == wish.space
            else resources.offers(lack, now=now)
        }
        for lack in lacks
    ]
    return {"lacking": lacking, "alternatives": alternatives}
