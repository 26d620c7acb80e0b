"""Judge wishes by the rules in force, with whatever facts those rules need."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from base_ops.core import db
from base_ops.core.actors import Actor
from base_ops.core.models import Role
from booking import selectors
from booking.domain import rulebook
from booking.domain.rulebook import Book, Broken, Case, Hearing, Needs, RulesBroken, Verdict
from booking.domain.states import Status
from booking.models import Booking
from booking.services import locking
from booking.services.wishes import BookingWish

Price = Callable[[], int]
Lock = Callable[[int, Needs], None]


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


class BrokenMeanwhile(db.Stale, RulesBroken):
    """Others came while nobody kept them out; looking again tells all that is broken now."""


@dataclass(slots=True)
class Trial:
    """A wish before the rules: what they need to know is asked at once, and judged when wanted."""

    wish: BookingWish
    actor: Actor | None
    changing: Booking | None
    away: Collection[Booking]
    lock: Lock
    now: datetime
    book: Book = field(init=False)
    hearing: Hearing = field(init=False)
    _asked: selectors.Asked = field(init=False)

    def by(self, book: Book, *, surely: bool) -> "Trial":
        """Ask what a book needs to know; `surely`: and whether it is the one in force."""
        self.book = book
        self.hearing = book.hearing(
            case_of(self.wish, book, actor=self.actor, changing=self.changing, now=self.now)
        )
        needs = self.hearing.needs
        if needs.counts:
            self.lock(self.wish.tenant.pk, needs)
        self._asked = selectors.ask_usage(
            needs=needs,
            tenant=self.wish.tenant,
            book=book if surely else None,
            ignoring=[b.pk for b in (self.changing, *self.away) if b is not None],
            now=self.now,
        )
        return self

    def verdict(self, price_fen: Price | None = None) -> Verdict:
        """The whole verdict; when other rules are in force by now, the one by those."""
        try:
            return self._verdict(price_fen)
        except selectors.RulesChanged:
            self.by(selectors.current_book(now=self.now), surely=False)
            return self._verdict(price_fen)

    def _verdict(self, price_fen: Price | None) -> Verdict:
        if price_fen is not None and self.needs_price:
            self.hearing.priced(price_fen())
        verdict = self.hearing.verdict(self._asked.usage())
        if not self.wish.extras:
            return verdict
        beside = _beside(self.wish, self.hearing.case, self.book)
        return replace(verdict, broken=(*verdict.broken, *beside))

    def ruling(self, *, granted: Collection[str] = (), price_fen: Price | None = None) -> Ruling:
        """Let the wish pass, or name everything that is broken; see `judge`.

        Raises:
            rulebook.RulesBroken: a rule is broken that is not waived.
        """
        verdict = self.verdict(price_fen)
        role = self.actor.role if self.actor is not None else Role.MANAGER
        already = tuple(b for b in verdict.broken if b.code in granted)
        left = replace(verdict, broken=tuple(b for b in verdict.broken if b not in already))
        waived = already + left.waived(override=self.wish.override, role=role)
        case = self.hearing.case
        hold = self.book.hold_ttl(case.main, case.renter)
        return Ruling(verdict.version, waived, verdict.approvals, hold)

    @property
    def needs_price(self) -> bool:
        """Whether some rule limits what may be owed."""
        return self.hearing.needs_price

    def count_everybody(self, *, new: Booking) -> Callable[[Ruling], None]:
        """Where everybody is counted: let nobody else in, and count again.

        The new booking is left out by its id, or taken off where it has none yet.

        Returns:
            What compares with the ruling, once the answer is there. It raises BrokenMeanwhile.
        """
        crowds = tuple(crowd for crowd in self.hearing.needs.crowds if crowd.venue)
        if not crowds:
            return lambda _: None
        locking.ask_sites()
        needs = Needs(crowds=crowds)
        pk: int | None = new.pk
        known_id = [] if pk is None else [pk]
        asked = selectors.ask_usage(
            needs=needs, tenant=self.wish.tenant, ignoring=known_id, now=self.now
        )

        def compare(ruling: Ruling) -> None:
            known = {broken.code for broken in ruling.waived}
            count = self.hearing.crowded if known_id else self.hearing.crowded_with_it
            found = count(asked.usage(), crowds)
            if broken := [b for b in found if b.code not in known]:
                raise rulebook.refusal(broken, version=ruling.version, kind=BrokenMeanwhile)

        return compare


def lock_all(tenant_id: int, needs: Needs) -> None:
    """Let one at a time count what the tenant has, and what everybody has."""
    locking.lock_tenants([tenant_id], everybody=needs.counts_everybody)


def lock_own(tenant_id: int, needs: Needs) -> None:
    """Only what the tenant has; `Trial.count_everybody` sees to the others at the end."""
    locking.ask_tenants([tenant_id])


def open_trial(
    *,
    wish: BookingWish,
    actor: Actor | None = None,
    changing: Booking | None = None,
    away: Collection[Booking] = (),
    lock: Lock = lock_all,
    now: datetime,
) -> Trial:
    """Ask what the rules in force need to know of a wish; the arguments are those of `judge`."""
    trial = Trial(wish, actor, changing, away, lock, now)
    return trial.by(selectors.book_at_hand(now=now), surely=True)


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
    trial = open_trial(wish=wish, actor=actor, changing=changing, away=away, now=now)
    return trial.ruling(granted=granted, price_fen=price_fen)


def try_rules(
    *, wish: BookingWish, changing: Booking | None = None, book: Book, now: datetime
) -> Verdict:
    """What a draft of the rules would say of a wish; `changing` is the booking that becomes it."""
    return Trial(wish, None, changing, (), lock_all, now).by(book, surely=False).verdict()


def check_rules(
    wish: BookingWish, *, changing: Booking | None = None, now: datetime
) -> Sequence[Broken]:
    """The rules that are broken and overridden; `changing` is the booking that becomes the wish.

    Args:
        wish: what is judged.
        changing: the booking that becomes this wish, if any; it does not count beside itself.
        now: the present instant.

    Raises:
        rulebook.RulesBroken: any other rule is broken.
    """
    return judge(wish=wish, changing=changing, now=now).waived


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
    trial = open_trial(wish=wish, changing=booking, now=now)
    verdict = trial.verdict()
    broken = [b for b in verdict.broken if b.field == "headcount"]
    if booking.status == Status.CONFIRMED:
        broken += trial.book.newly_asking(verdict, booking.approvals)
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
