"""Documents of the language, for tests."""

from typing import Any

from billing.domain.policylang import rules
from billing.domain.policylang.rules import Rule

PLAIN: dict[str, Any] = {
    "language": 1,
    "code": "X1",
    "version": 1,
    "name_zh": "示例补贴",
    "name_en": "Example subsidy",
    "applies_to": "claim",
    "funding": "district_fiscal",
    "order": 10,
    "valid_from": "2026-01-01",
    "valid_to": "2027-12-31",
    "benefit": {"percent": "50", "of": {"fact": "rent_paid"}},
}
BOOKING: dict[str, Any] = PLAIN | {"applies_to": "booking", "benefit": {"percent_off": "10"}}


def document(**changes: Any) -> dict[str, Any]:
    """A claim's rule with some parts changed; None leaves a part out."""
    return {k: v for k, v in (PLAIN | changes).items() if v is not None}


def rule(**changes: Any) -> Rule:
    """The same, read."""
    return rules.read(document(**changes))


def nested(depth: int) -> dict[str, Any]:
    """A condition inside of so many others."""
    found: dict[str, Any] = {"fact": "registered", "is": True}
    for _ in range(depth):
        found = {"not": found}
    return found
