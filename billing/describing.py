"""Policies, their language and what they would do, as the API shows them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from billing.domain.policylang import amounts, booking, conditions, rules, vocabulary
from billing.domain.policylang.judging import Outcome
from billing.domain.policylang.settling import Share
from billing.domain.policylang.situations import KNOWN
from billing.domain.policylang.source import Fault
from billing.models import PolicyRow
from billing.schemas import policies as schemas
from billing.services.policies import Checked
from billing.services.whatif import Sums, WhatIf


def language() -> schemas.LanguageOut:
    """The words of the language, from what the reader knows."""
    facts = [
        schemas.FactOut(
            name=name,
            kind=fact.kind,
            zh=fact.name.zh,
            en=fact.name.en,
            when_booking=name in KNOWN,
        )
        for name, fact in vocabulary.STANDARD.items()
    ]
    return schemas.LanguageOut(
        language=rules.LANGUAGE,
        facts=facts,
        comparisons={kind: sorted(ops) for kind, ops in conditions.COMPARISONS.items()},
        amounts=list(amounts.TERMS),
        booking_benefits={scope: list(heads) for scope, heads in booking.BENEFITS.items()},
        caps=list(rules.CAPS),
        shares=list(rules.SHARES),
    )


def checked(found: Checked) -> schemas.PolicyCheckOut:
    """Faults and warnings of a draft, and what it gives to the case."""
    return schemas.PolicyCheckOut(
        ok=not found.faults,
        faults=_places(found.faults),
        warnings=_places(found.warnings),
        next_version=found.next_version,
        outcome=_outcome(found.outcome) if found.outcome else None,
    )


def _places(faults: Iterable[Fault]) -> list[schemas.PolicyPlaceOut]:
    return [schemas.PolicyPlaceOut(path=f.path, zh=f.reason.zh, en=f.reason.en) for f in faults]


def _outcome(outcome: Outcome) -> schemas.OutcomeOut:
    return schemas.OutcomeOut(
        verdict=outcome.verdict,
        amount_fen=outcome.amount_fen,
        parts_fen=list(outcome.parts_fen),
        steps=[schemas.StepOut.model_validate(step.as_json()) for step in outcome.steps],
    )


def versions(code: str | None) -> list[schemas.PolicyVersionOut]:
    """Every version, of one code or of all."""
    rows = PolicyRow.objects.order_by("code", "-version")
    if code is not None:
        rows = rows.filter(code=code)
    return [schemas.PolicyVersionOut.from_orm(row) for row in rows]


def shares(found: Sequence[Share], *, committed: bool) -> schemas.SharesOut:
    """The shares of a budget; the names of claims without what tells them from bookings."""
    return schemas.SharesOut(
        committed=committed,
        paid_fen=sum(share.paid_fen for share in found),
        shares=[
            schemas.ShareOut(
                code=share.code.removeprefix("claim/"),
                paid_fen=share.paid_fen,
                reason_zh=share.step.text.zh,
                reason_en=share.step.text.en,
            )
            for share in found
        ],
    )


def what_if(found: WhatIf, first: date, last: date) -> schemas.WhatIfOut:
    """The effects of a draft, the largest first."""
    return schemas.WhatIfOut(
        first=first,
        last=last,
        bookings=found.bookings,
        unpriced=found.unpriced,
        total=schemas.SumsOut(**_sums(found.total)),
        tenants=_named(found.tenants),
        policies=_named(found.policies),
        budgets=[
            schemas.BudgetEffectOut(
                policy_code=effect.policy_code,
                year=effect.year,
                before_limit_fen=effect.before_limit_fen,
                after_limit_fen=effect.after_limit_fen,
                **_sums(effect.taken),
            )
            for effect in found.budgets
        ],
    )


def _sums(sums: Sums) -> dict[str, int]:
    return {
        "before_fen": sums.before_fen,
        "after_fen": sums.after_fen,
        "difference_fen": sums.after_fen - sums.before_fen,
    }


def _named(found: Mapping[str, Sums]) -> list[schemas.NamedSumsOut]:
    rows = [schemas.NamedSumsOut(code=code, **_sums(sums)) for code, sums in found.items()]
    return sorted(rows, key=lambda row: (-abs(row.difference_fen), row.code))
