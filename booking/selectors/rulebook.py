"""The rules in force, compiled once per process and version."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from base_ops.core import errors, statements
from base_ops.core.models import Site, Space, SpaceType, Tenant
from booking.domain import rulebook
from booking.domain.grid import ZONE
from booking.domain.rulebook import hours
from booking.models import Booking, RuleBook

Version = tuple[int, str]
IN_FORCE = (
    "SELECT version, digest FROM booking_rulebook WHERE valid_from <= %s"
    " ORDER BY version DESC LIMIT 1"
)
_KEPT = 8
_compiled: dict[Version, rulebook.Book] = {}
_at_hand: list[rulebook.Book] = []


class NoRules(errors.Unavailable):
    """No version of the rules is in force: nothing can be judged."""

    code, title_zh, title_en = "no_rules", "没有生效的预订规则", "No booking rules are in force"


class UnknownRules(LookupError):
    """There is no such version: our own fault, for callers never name a version."""


def current_book(*, now: datetime) -> rulebook.Book:
    """The newest version in force; one tiny query, and none more when it was read before.

    Raises:
        NoRules: there is none.
    """
    row = statements.first(IN_FORCE, [now])
    if row is None:
        raise NoRules
    found: Version = (row[0], row[1])
    return remembered(_compiled.get(found) or _read(found[0]))


def book_at_hand(*, now: datetime) -> rulebook.Book:
    """The book that was in force when last asked; `usage` tells whether it still is."""
    return _at_hand[-1] if _at_hand else current_book(now=now)


def remembered(book: rulebook.Book) -> rulebook.Book:
    """The same book, kept at hand for the next caller."""
    _at_hand[:] = [book]
    return book


def books_of(days: Sequence[date]) -> list[rulebook.Book]:
    """For each day the rules in force as it begins; before the first version, that one. One query.

    Raises:
        NoRules: there is no version at all.
    """
    rows = list(
        RuleBook.objects.order_by("-version").values_list("version", "digest", "valid_from")
    )
    if not rows:
        raise NoRules
    found = []
    for day in days:
        first = hours.midnight(day, ZONE)
        version, digest, _ = next((row for row in rows if row[2] <= first), rows[-1])
        found.append(_compiled.get((version, digest)) or _read(version))
    return found


def book_of(version: int) -> rulebook.Book:
    """One version, as a booking froze it.

    Raises:
        UnknownRules: there is no such version.
    """
    for (known, _), book in list(_compiled.items()):
        if known == version and RuleBook.objects.filter(version=version, digest=book.digest):
            return book
    return _read(version)


def _read(version: int) -> rulebook.Book:
    row = row_of(version)
    book = rulebook.compile_book(row.document, version=row.version, digest=row.digest)
    while len(_compiled) >= _KEPT:
        _compiled.pop(next(iter(_compiled)), None)
    _compiled[row.version, row.digest] = book
    return book


def book_for(booking: Booking, *, now: datetime) -> rulebook.Book:
    """The rules that a booking was made by; those in force for one that no rules judged."""
    if booking.rules_version is None:
        return current_book(now=now)
    return book_of(booking.rules_version)


def row_of(version: int) -> RuleBook:
    """One version as it was written.

    Raises:
        UnknownRules: there is no such version.
    """
    row = RuleBook.objects.filter(version=version).first()
    if row is None:
        raise UnknownRules(f"version {version}")
    return row


def newest_rules(*, lock: bool = False) -> RuleBook:
    """The newest version, in force or not yet; `lock` keeps rivals from writing the next one.

    Raises:
        NoRules: there is none.
    """
    rows = RuleBook.objects.order_by("-version")
    row = (rows.select_for_update(no_key=True) if lock else rows).first()
    if row is None:
        raise NoRules
    return row


def rule_versions() -> QuerySet[RuleBook]:
    """Every version, the newest first, without the documents."""
    return RuleBook.objects.defer("document").order_by("-version")


def known_codes() -> rulebook.Known:
    """What rules can be about: the codes that exist."""

    def of(rows: QuerySet[Any], name: str = "code") -> Collection[str]:
        return frozenset(rows.values_list(name, flat=True))

    return rulebook.Known(
        {
            "sites": of(Site.objects.all()),
            "spaces": of(Space.objects.all()),
            "space_types": of(SpaceType.objects.all()),
            "tenants": of(Tenant.objects.all()),
        }
    )


def place(space: Space, book: rulebook.Book) -> rulebook.Place:
    """The space as the rules of a book see it; its type is read if it is not at hand."""
    kind = space.type
    return rulebook.Place(
        code=space.code,
        bookable=space.bookable,
        capacity=space.capacity,
        unit_count=space.unit_count,
        slot_min=kind.slot_min,
        min_min=kind.min_min,
        type=kind.code,
        site=_site_code(space.floor.site_id) if "sites" in book.names else "",
    )


_sites: dict[int, str] = {}


def _site_code(site_id: int) -> str:
    """A site's code, which never changes; asked for once."""
    if (code := _sites.get(site_id)) is None:
        code = _sites[site_id] = Site.objects.values_list("code", flat=True).get(pk=site_id)
    return code


def renter(tenant: Tenant) -> rulebook.Renter:
    """The tenant as the rules see it.

    Its own evidence is its tags, what its profile says is true, and `documents` in the profile:
    the last day of each, or null. Proofs that billing keeps are looked up when a rule asks.
    """
    profile: Mapping[str, Any] = tenant.profile
    return rulebook.Renter(
        code=tenant.code,
        rating=tenant.compliance_rating,
        active=tenant.status == "active",
        category=tenant.category,
        tags=frozenset(tenant.tags),
        credit_limit_fen=tenant.credit_limit_fen,
        prepaid_fen=_amount(profile.get("prepaid_fen")),
        evidence=dict.fromkeys(tenant.tags)
        | {name: None for name, value in profile.items() if value is True}
        | _dated(profile.get("documents")),
    )


def _amount(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _dated(documents: Any) -> dict[str, date | None]:
    """Documents with their last day; what has no readable date proves nothing."""
    found: dict[str, date | None] = {}
    for name, until in documents.items() if isinstance(documents, dict) else ():
        if until is None:
            found[name] = None
        elif isinstance(until, str) and (day := _day(until)) is not None:
            found[name] = day
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
