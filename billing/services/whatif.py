"""Replay bookings under a draft policy beside the policies in force; nothing is written."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Sum

from base_ops.core.errors import Invalid
from base_ops.core.models import Tenant
from billing import selectors
from billing.domain import rating
from billing.domain.catalog import NotPriced, PriceBook
from billing.domain.policies import Policy
from billing.domain.policylang import compiling, rules
from billing.domain.policylang.source import Refused
from billing.domain.quote import Quote, given
from billing.domain.texts import local_day
from billing.models import Budget, Evidence, PolicyUse
from billing.models.usage import ReservationState
from billing.selectors.ledger import Ledger
from billing.services.bulk import Claim
from billing.services.policies import unreadable
from billing.services.quoting import wished

MOST_BOOKINGS: Final = 10_000


class WhatIfTooLarge(Invalid):
    """More bookings than one answer replays; name a tenant."""

    code, title_zh, title_en = (
        "what_if_too_large",
        "预订数量过多，请指定租户",
        "Too many bookings to replay, name a tenant",
    )


class WhatIfNotForClaims(Invalid):
    """Bookings show what a price policy does; a claim's policy is tried with `check`."""

    code, title_zh, title_en = (
        "what_if_needs_price_policy",
        "申报类政策请用检查功能试算",
        "Only a policy that lowers prices can be replayed",
    )


@dataclass(slots=True)
class Sums:
    """Totals in fen under the policies in force and under the draft."""

    before_fen: int = 0
    after_fen: int = 0


@dataclass(frozen=True, slots=True)
class BudgetEffect:
    """A budget of one year: its limit and what would be taken of it."""

    policy_code: str
    year: int
    before_limit_fen: int | None
    after_limit_fen: int | None
    taken: Sums


@dataclass(slots=True)
class WhatIf:
    """What a draft would have changed."""

    bookings: int = 0
    unpriced: int = 0
    total: Sums = field(default_factory=Sums)
    tenants: dict[str, Sums] = field(default_factory=dict)
    policies: dict[str, Sums] = field(default_factory=dict)
    budgets: list[BudgetEffect] = field(default_factory=list)


def replay(
    claims: Iterable[Claim], *, document: Mapping[str, Any], since: date, until: date
) -> WhatIf:
    """Price the claims twice in the order in which they were made.

    The draft takes the place of its own code for all of the days. Both replays begin with what
    was used before `since`, and see only each other's like after it.

    Raises:
        PolicyNotReadable: the draft is not in the language.
        WhatIfNotForClaims: it does not lower prices.
        WhatIfTooLarge: there are too many claims.
    """
    draft = _draft(document, since, until)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        ordered = _bounded(claims)
        book = selectors.price_book()
        tenants = {claim.tenant.pk: claim.tenant for claim in ordered}
        years = range(since.year, until.year + 1)
        old = _Replay(book, _known(tenants, since, years))
        new = _Replay(_under(draft, book), _known(tenants, since, years, draft))
        return _compared(ordered, old, new)


def _draft(document: Mapping[str, Any], since: date, until: date) -> Policy:
    try:
        rule = rules.read(document)
    except Refused as exc:
        raise unreadable(exc.faults) from exc
    if rule.amount is not None:
        raise WhatIfNotForClaims(rule.code)
    policy = compiling.compiled(rule)
    return replace(policy, valid_from=min(since, until), valid_to=until)


def _under(draft: Policy, book: PriceBook) -> PriceBook:
    """The book, and those that replace it later, with the draft in the place of its own code."""
    others = tuple(p for p in book.policies if p.code != draft.code)
    later = tuple((first, _under(draft, other)) for first, other in book.later)
    return replace(book, policies=(*others, draft), later=later)


def _bounded(claims: Iterable[Claim]) -> Sequence[Claim]:
    found: list[Claim] = []
    for claim in claims:
        found.append(claim)
        if len(found) > MOST_BOOKINGS:
            raise WhatIfTooLarge(f"more than {MOST_BOOKINGS} bookings", most=MOST_BOOKINGS)
    return sorted(found, key=lambda c: c.at)


@dataclass(frozen=True, slots=True)
class _Replay:
    """One way of pricing: a book, and what each tenant has used under it so far."""

    book: PriceBook
    ledgers: Mapping[int, Ledger]

    def price(self, claim: Claim) -> Quote:
        """The next booking's price; what it takes is counted."""
        known = self.ledgers[claim.tenant.pk]
        at = known.situation(claim.tenant, local_day(claim.span.start))
        at = replace(at, purpose=claim.purpose, space_type=claim.space.type.code)
        wish = wished(claim.space, claim.span, (), claim.units)
        quote = rating.rate(wish, book=self.book.on(at.on), situation=at)
        if not quote.suspended:
            known.add(claim.tenant, quote)
        return quote


def _known(
    tenants: Mapping[int, Tenant], since: date, years: Iterable[int], draft: Policy | None = None
) -> dict[int, Ledger]:
    """A ledger for each tenant as of `since`; they share the budgets."""
    budgets = _budgets(since, years, draft)
    found = {pk: Ledger(budgets) for pk in tenants}
    for proof in Evidence.objects.filter(tenant__in=tenants):
        found[proof.tenant_id].proofs.setdefault(proof.tenant_id, []).append(proof)
    uses = _uses().filter(reservation__tenant__in=tenants, reservation__month__lt=since)
    by_month = uses.values_list("reservation__tenant", "reservation__month", "policy_code")
    for tenant_id, month, code, n in by_month.annotate(n=Sum("half_hours")):
        found[tenant_id].uses[tenant_id, month, code] = n
    return found


def _uses() -> Any:
    return PolicyUse.objects.exclude(reservation__state=ReservationState.RELEASED)


def _budgets(
    since: date, years: Iterable[int], draft: Policy | None
) -> dict[tuple[str, int], Budget]:
    """The budgets of the years with what was taken before `since`; the draft brings its own."""
    taken: Counter[int] = Counter()
    before = _uses().filter(budget__year__in=years, reservation__month__lt=since)
    for budget_id, n in before.values_list("budget").annotate(n=Sum("amount_fen")):
        taken[budget_id] = n
    found = {
        (row.policy_code, row.year): Budget(
            policy_code=row.policy_code,
            year=row.year,
            limit_fen=row.limit_fen,
            reserved_fen=taken[row.pk],
        )
        for row in Budget.objects.filter(year__in=years)
    }
    if draft is None:
        return found
    for year in years:
        earlier = found.pop((draft.code, year), None)
        if draft.budget_year_fen is not None:
            found[draft.code, year] = Budget(
                policy_code=draft.code,
                year=year,
                limit_fen=draft.budget_year_fen,
                reserved_fen=earlier.reserved_fen if earlier else 0,
            )
    return found


def _compared(claims: Sequence[Claim], old: _Replay, new: _Replay) -> WhatIf:
    found = WhatIf()
    for claim in claims:
        try:
            before = old.price(claim)
        except NotPriced:
            found.unpriced += 1
            continue
        after = new.price(claim)
        found.bookings += 1
        tenant = found.tenants.setdefault(claim.tenant.code, Sums())
        for sums in (found.total, tenant):
            sums.before_fen += before.total_fen
            sums.after_fen += after.total_fen
        for verdict in given(before):
            found.policies.setdefault(verdict.code, Sums()).before_fen += verdict.amount_fen
        for verdict in given(after):
            found.policies.setdefault(verdict.code, Sums()).after_fen += verdict.amount_fen
    found.budgets = _effects(old, new)
    return found


def _effects(old: _Replay, new: _Replay) -> list[BudgetEffect]:
    """Every budget that either replay knows, and what each took of it."""
    before = next((ledger.budgets for ledger in old.ledgers.values()), {})
    after = next((ledger.budgets for ledger in new.ledgers.values()), {})
    effects = []
    for key in sorted(before.keys() | after.keys()):
        one, two = before.get(key), after.get(key)
        effects.append(
            BudgetEffect(
                policy_code=key[0],
                year=key[1],
                before_limit_fen=one.limit_fen if one else None,
                after_limit_fen=two.limit_fen if two else None,
                taken=Sums(one.reserved_fen if one else 0, two.reserved_fen if two else 0),
            )
        )
    return effects
