"""Whom a rule is for, and which of two rules is the more specific one."""

from collections.abc import Iterator
from dataclasses import dataclass

from booking.domain.rulebook.facts import Place, Renter

# The order of specificity, the strongest first. A scope's rank is a binary number with one digit
# for each of these: naming a tenant beats naming spaces, tags, categories together.
DIMENSIONS = (
    "tenants",
    "spaces",
    "tenant_tags",
    "tenant_categories",
    "ratings",
    "space_types",
    "sites",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Every named dimension must fit; one that names nothing fits everybody."""

    tenants: frozenset[str] = frozenset()
    spaces: frozenset[str] = frozenset()
    tenant_tags: frozenset[str] = frozenset()
    tenant_categories: frozenset[str] = frozenset()
    ratings: frozenset[str] = frozenset()
    space_types: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        """How specific the scope is, by DIMENSIONS."""
        rank = 0
        for _, named in self.named():
            rank = 2 * rank + bool(named)
        return rank

    def named(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Each dimension with what it names."""
        return ((name, getattr(self, name)) for name in DIMENSIONS)

    def concerns(self, renter: Renter) -> bool:
        """Whether a booking of this renter, of whatever space, can fall under the rule."""
        return (
            (not self.tenants or renter.code in self.tenants)
            and (not self.tenant_tags or not self.tenant_tags.isdisjoint(renter.tags))
            and (not self.tenant_categories or renter.category in self.tenant_categories)
            and (not self.ratings or renter.rating in self.ratings)
        )

    def covers(self, place: Place) -> bool:
        """Whether a booking of this space, by whomever, can fall under the rule."""
        return (
            (not self.spaces or place.code in self.spaces)
            and (not self.space_types or place.type in self.space_types)
            and (not self.sites or place.site in self.sites)
        )

    def fits(self, place: Place, renter: Renter) -> bool:
        """Whether a booking of this space by this renter falls under the rule."""
        return self.covers(place) and self.concerns(renter)
