"""A situation of a booking, in the facts of the language."""

from fractions import Fraction
from typing import Final

from billing.domain.policylang.vocabulary import Value
from billing.domain.situation import Situation


def facts_of(at: Situation) -> dict[str, Value]:
    """What is known about tenant and wish; what is not known is left out."""
    both = frozenset({at.category} | ({at.partner_category} if at.partner_category else set()))
    found: dict[str, Value] = {
        "on": at.on,
        "rating": at.rating,
        "category": at.category,
        "registered": at.registered,
        "tags": at.tags,
        "months_since_join": Fraction(at.months_since_join),
        "booking_mode": at.mode,
        "month_hours": Fraction(at.month_half_hours, 2),
        "agreement": at.agreement,
        "programme_filed": at.programme_filed,
        "annual_sales": Fraction(at.annual_gmv_yuan) * 100,
        "joint_session": at.partner_category is not None,
        "joint_categories": both,
        "partner_categories": both if at.partner_category else frozenset(),
    }
    named = {"industry": at.industry, "town": at.town, "space_type": at.space_type}
    found |= {name: text for name, text in named.items() if text}
    return found | ({"purpose": at.purpose} if at.purpose else {})


KNOWN: Final = frozenset(
    [
        *("on", "rating", "category", "registered", "tags", "months_since_join", "booking_mode"),
        *("month_hours", "agreement", "programme_filed", "annual_sales", "joint_session"),
        *("joint_categories", "partner_categories", "industry", "town", "space_type", "purpose"),
        "outage_min",
    ]
)
"""What is known when a booking is priced, or an outage credited."""
