"""Judge wishes by the rules in force, with whatever facts those rules need."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from base_ops.core.actors import Actor
from base_ops.core.models import Role
from booking import selectors
from booking.domain import rulebook
from booking.domain.rulebook import Book, Broken, Case, Verdict
from booking.domain.states import Status
from booking.models import Booking
from booking.services import locking
from booking.services.wishes import BookingWish

Price = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules allow a wish: by which version, what was waived, and who must approve.

    `approvals` are the rules that ask for approval; `hold` is how long a hold of it lasts.
    """

    version: int
    waived: tuple[Broken, ...]
    approvals: tuple[str, ...]
    hold: timedelta

    def as_columns(self) -> dict[str, Any]:
        """What a booking freezes of it."""
        return {
            "rules_version": self.version,
            "approvals": list(self.approvals),
            "waived": [broken.code for broken in self.waived],
        }


def judge(
    *,
    wish: BookingWish,
    actor: Actor | None = None,
    changing: Booking | None = None,
    away: Collection[Booking] = (),
    granted: Collection[str] = (),
    price_fen: Price | None = None,
    now: datetime,
) -> Ruling:
    """Let a wish pass, or name everything that is broken.

    Args:
        wish: what is asked for; `override` are the rules that whoever asks wants waived.
        actor: who asks; None: whoever may waive has been seen to already.
        changing: the booking that becomes this wish; it does not count beside itself.
        away: other bookings that do not count, for they leave their places too.
        granted: rules that were waived for this wish before.
        price_fen: its price; asked only when a rule limits what may be owed.
        now: the present instant.

    Raises:
        rulebook.RulesBroken: a rule is broken that is not waived.
    """
    verdict, book = examine(
        wish=wish, actor=actor, changing=changing, away=away, price_fen=price_fen, now=now
    )
    role = actor.role if actor is not None else Role.MANAGER
    already = tuple(b for b in verdict.broken if b.code in granted)
    left = replace(verdict, broken=tuple(b for b in verdict.broken if b not in already))
    waived = already + left.waived(override=wish.override, role=role)
    hold = book.hold_ttl(selectors.place(wish.space, book), selectors.renter(wish.tenant))
    return Ruling(verdict.version, waived, verdict.approvals, hold)


def examine(
    *,
    wish: BookingWish,
    actor: Actor | None = None,
    changing: Booking | None = None,
    away: Collection[Booking] = (),
    price_fen: Price | None = None,
    book: Book | None = None,
    now: datetime,
) -> tuple[Verdict, Book]:
    """The whole verdict on a wish and the book it is by (a draft if `book` says so)."""
    if book is not None:
        return _verdict(book, None, wish, actor, changing, away, price_fen, now=now), book
    at_hand = selectors.book_at_hand(now=now)
    try:
        return _verdict(at_hand, at_hand, wish, actor, changing, away, price_fen, now=now), at_hand
    except selectors.RulesChanged:
        newer = selectors.current_book(now=now)
        return _verdict(newer, None, wish, actor, changing, away, price_fen, now=now), newer


def try_rules(*, wish: BookingWish, book: Book, now: datetime) -> Verdict:
    """What a draft of the rules would say of a wish."""
    return examine(wish=wish, book=book, now=now)[0]


def _verdict(
    book: Book,
    to_be_sure: Book | None,
    wish: BookingWish,
    actor: Actor | None,
    changing: Booking | None,
    away: Collection[Booking],
    price_fen: Price | None,
    *,
    now: datetime,
) -> Verdict:
    case = case_of(wish, book, actor=actor, changing=changing, now=now)
    hearing = book.hearing(case)
    if hearing.needs.counts:
        locking.lock_tenants([wish.tenant.pk], everybody=hearing.needs.counts_everybody)
    if price_fen is not None and hearing.needs_price:
        hearing = book.hearing(replace(case, price_fen=price_fen()))
    usage = selectors.usage(
        needs=hearing.needs,
        tenant=wish.tenant,
        book=to_be_sure,
        ignoring=[b.pk for b in (changing, *away) if b is not None],
        now=now,
    )
    verdict = hearing.verdict(usage)
    beside = _beside(wish, case, book) if wish.extras else ()
    return replace(verdict, broken=(*verdict.broken, *beside))


def count_alone(wish: BookingWish, *, now: datetime) -> None:
    """Let nobody else count meanwhile what the rules in force count for this wish."""
    book = selectors.current_book(now=now)
    needs = book.hearing(case_of(wish, book, now=now)).needs
    if needs.counts:
        locking.lock_tenants([wish.tenant.pk], everybody=needs.counts_everybody)


def check_amended(wish: BookingWish, booking: Booking, *, now: datetime) -> None:
    """Let pass what only changes purpose or headcount: time and quotas are not judged again.

    Raises:
        rulebook.RulesBroken: too many people; or so many that somebody would have to approve what
            is confirmed already.
    """
    verdict, book = examine(wish=wish, changing=booking, now=now)
    broken = [b for b in verdict.broken if b.field == "headcount"]
    if booking.status == Status.CONFIRMED:
        broken += book.newly_asking(verdict, booking.approvals)
    if broken:
        raise rulebook.refusal(broken, version=verdict.version)


def check_cancelling(booking: Booking, *, now: datetime) -> None:
    """Let a tenant cancel until the cut-off of the rules by which it booked.

    Raises:
        rulebook.RulesBroken: the cut-off is over.
    """
    book = selectors.book_for(booking, now=now)
    verdict = book.cancelling(
        [selectors.place(booking.space, book)],
        selectors.renter(booking.tenant),
        booking.starts_at,
        now=now,
    )
    verdict.waived(override=(), role="")


def case_of(
    wish: BookingWish,
    book: Book,
    *,
    actor: Actor | None = None,
    changing: Booking | None = None,
    now: datetime,
) -> Case:
    """The wish as the rules see it: the room, and the spaces taken for the same time."""
    same_time = [e.space for e in wish.extras if e.space is not None and e.span is None]
    return Case(
        places=tuple(selectors.place(space, book) for space in (wish.space, *same_time)),
        renter=selectors.renter(wish.tenant),
        span=wish.span,
        now=now,
        headcount=wish.headcount,
        units=wish.units,
        was=changing.span if changing else None,
        approver=actor is not None and actor.is_staff,
    )


def _beside(wish: BookingWish, case: Case, book: Book) -> Iterator[Broken]:
    """What is broken by spaces that are taken for a time of their own, named by their place.

    Quotas and approval look at the booking, not at what stands beside it.
    """
    for index, extra in enumerate(wish.extras):
        if extra.space is None or extra.span is None:
            continue
        place = selectors.place(extra.space, book)
        apart = replace(case, places=(place,), span=extra.span, headcount=1, units=extra.quantity)
        for broken in book.hearing(apart).beside():
            yield replace(broken, field=f"extras.{index}.{broken.field}")
