"""Rules as data: a document is checked, read into a book, and the book judges cases.

Of a kind of limit the most specific rule that fits a space and a renter wins: the higher
`weight` first, then the scope that names the stronger dimension (tenants, spaces, tenant tags,
tenant categories, ratings, space types, sites, in this order), then whichever comes first in the
document. Of quotas, crowds, documents and approvals all that fit apply, except those that another
fitting one `replaces`. A limit of null is no limit, which is how a specific rule lifts a general
one.
"""

from booking.domain.rulebook.book import (
    Book,
    Unreadable,
    check,
    compile_book,
)
from booking.domain.rulebook.door import Door
from booking.domain.rulebook.facts import (
    ANYBODY,
    UNUSED,
    Ask,
    Case,
    Crowd,
    Needs,
    Place,
    Renter,
    Stay,
    Usage,
    Used,
    tally,
)
from booking.domain.rulebook.hearing import Hearing, Terms
from booking.domain.rulebook.kinds import KINDS, Kind
from booking.domain.rulebook.reading import Fault, Known, Rule
from booking.domain.rulebook.scope import DIMENSIONS, Scope
from booking.domain.rulebook.selling import Sale
from booking.domain.rulebook.verdict import Broken, RulesBroken, Verdict, refusal

__all__ = [
    "ANYBODY",
    "DIMENSIONS",
    "KINDS",
    "UNUSED",
    "Ask",
    "Book",
    "Broken",
    "Case",
    "Crowd",
    "Door",
    "Fault",
    "Hearing",
    "Kind",
    "Known",
    "Needs",
    "Place",
    "Renter",
    "Rule",
    "RulesBroken",
    "Sale",
    "Scope",
    "Stay",
    "Terms",
    "Unreadable",
    "Usage",
    "Used",
    "Verdict",
    "check",
    "compile_book",
    "refusal",
    "tally",
]
