"""What somebody would like to lease: judged, priced month by month, and as a draft."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from base_ops.core import errors
from base_ops.core.models import Space, Tenant
from base_ops.core.months import add_months, first_of, months_of
from billing import services as billing
from billing.domain.quote import Line
from booking import selectors
from booking.domain import leases
from booking.models import Lease
from booking.services import blocking, lease_charges

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class LeaseRefused(errors.Invalid):
    """The lease breaks rules; `fields` names all of them."""

    code, title_zh, title_en = "lease_refused", "不符合长租规则", "The lease breaks a rule"


@dataclass(frozen=True, slots=True)
class LeaseWish:
    """What is to be let to whom; `ends_on` is the first day after it.

    Args:
        unit_numbers: which units; none with `unit_count` lets the base choose neighbours.
        unit_count: how many units; None without numbers is the whole space.
        monthly_rent_fen: as agreed; None is the tariff's.
        deposit_fen: as agreed; None is `deposit_months` of rent.
    """

    space: Space
    tenant: Tenant
    starts_on: date
    ends_on: date
    unit_numbers: tuple[int, ...] = ()
    unit_count: int | None = None
    monthly_rent_fen: int | None = None
    free_months: int = 0
    notice_months: int = 1
    deposit_months: int = 2
    deposit_fen: int | None = None
    policy_code: str = ""

    @property
    def units(self) -> int | None:
        """How many units; None for a space that is not divided."""
        if not self.space.unit_count:
            return None
        return len(set(self.unit_numbers)) or self.unit_count or self.space.unit_count


@dataclass(frozen=True, slots=True)
class Offer:
    """A lease as it would be: each month as it will be charged, and whether it could be signed."""

    lease: Lease
    months: Sequence[tuple[date, Sequence[Line]]]
    units: Sequence[int]
    conflicts: Sequence[dict[str, Any]]
    free_units: Sequence[int]

    @property
    def total_fen(self) -> int:
        """What all months come to, VAT included, without the deposit."""
        return sum(entry.gross_fen for _, lines in self.months for entry in lines)


def offer(*, wish: LeaseWish, now: datetime) -> Offer:
    """Price a wish and look whether it is free; nothing is written.

    Raises:
        LeaseRefused: names every broken rule.
        blocking.UnknownUnits: the space has no such units.
        billing's NotPriced: the space is not let by the month.
    """
    check(wish, now=now)
    lease = unsaved(wish, now=now)
    free = blocking.free_units(wish.space, lease.span, now=now)
    units = chosen(lease, free)
    standing = blocking.in_the_way(
        wish.space, units or selectors.units_of(wish.space), lease.span, now=now
    )
    return Offer(
        lease=lease,
        months=_priced(lease),
        units=[] if standing or not wish.units else units,
        conflicts=[blocking.conflict(wish.space, row) for row in standing],
        free_units=free if wish.space.unit_count else [],
    )


def chosen(lease: Lease, free: Sequence[int]) -> list[int]:
    """The units to take: those wanted, all, or free neighbours; none when too few are free."""
    if lease.units is None or lease.wanted_units or lease.units == lease.space.unit_count:
        return blocking.whole_or(lease.space, lease.wanted_units)
    return leases.next_to_each_other(list(free), lease.units) if len(free) >= lease.units else []


def unsaved(wish: LeaseWish, *, now: datetime) -> Lease:
    """The draft of a wish, with the rent of the tariff where none was agreed."""
    lease = Lease(
        code=new_code(),
        tenant=wish.tenant,
        space=wish.space,
        status=leases.Status.DRAFT,
        units=wish.units,
        wanted_units=sorted(set(wish.unit_numbers)),
        starts_on=wish.starts_on,
        ends_on=wish.ends_on,
        monthly_rent_fen=wish.monthly_rent_fen or 0,
        area_m2=None if wish.units else wish.space.area_m2,
        free_months=wish.free_months,
        notice_months=wish.notice_months,
        deposit_months=wish.deposit_months,
        policy_code=wish.policy_code,
        created_at=now,
    )
    if wish.monthly_rent_fen is None:
        lease.monthly_rent_fen = tariff_rent_fen(lease)
    due = wish.deposit_fen
    lease.deposit_fen = wish.deposit_months * lease.monthly_rent_fen if due is None else due
    return lease


def tariff_rent_fen(lease: Lease) -> int:
    """The rent of a whole month by the tariff in force.

    Raises:
        billing's NotPriced: the space is not let by the month.
    """
    first = add_months(
        first_of(lease.starts_on), 1
    )  # a month that the lease covers from its start
    facts = lease_charges.priced_by_tariff(lease, first)
    (_, lines), *_ = billing.quote_lease(tenant=lease.tenant, space=lease.space, facts=[facts])
    return lines[0].gross_fen


def _priced(lease: Lease) -> list[tuple[date, list[Line]]]:
    months = months_of(lease.starts_on, lease.ends_on - timedelta(days=1))
    return billing.quote_lease(
        tenant=lease.tenant,
        space=lease.space,
        facts=[lease_charges.facts(lease, month) for month in months],
    )


def new_code() -> str:
    """A code that tells nothing about how many leases there are."""
    return "LS" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def check(wish: LeaseWish, *, now: datetime) -> None:
    """Let through what may be let at all.

    Raises:
        LeaseRefused: names every broken rule.
        blocking.UnknownUnits: the space has no such units.
    """
    blocking.check_units(wish.space, wish.unit_numbers)
    if faults := [*_place_faults(wish), *_term_faults(wish, now), *_renter_faults(wish.tenant)]:
        raise LeaseRefused(", ".join(f.reason_en for f in faults), fields=faults)


def _place_faults(wish: LeaseWish) -> Iterator[errors.FieldFault]:
    space = wish.space
    if not space.rentable_monthly:
        yield errors.FieldFault("space", "该空间不长租", "This space is not let by the month")
    most = space.unit_count or 0
    if wish.unit_count is not None and not 1 <= wish.unit_count <= most:
        yield errors.FieldFault(
            "unit_count", f"该空间有 {most} 个单元", f"The space has {most} units"
        )
    numbers = set(wish.unit_numbers)
    if numbers and wish.unit_count not in (None, len(numbers)):
        yield errors.FieldFault(
            "unit_count", "与所列单元数不符", "Differs from the number of units named"
        )


def _term_faults(wish: LeaseWish, now: datetime) -> Iterator[errors.FieldFault]:
    today = leases.today(now)
    oldest = add_months(first_of(today), -1)
    if wish.starts_on < oldest:
        yield errors.FieldFault(
            "starts_on", f"最早 {oldest}", f"Not before {oldest}: earlier months are closed"
        )
    if wish.ends_on <= wish.starts_on:
        yield errors.FieldFault("last_day", "须不早于起租日", "Must not be before the first day")
        return
    if wish.ends_on <= today:
        yield errors.FieldFault("last_day", "租期已过", "The term is over already")
    if wish.ends_on > add_months(wish.starts_on, leases.LONGEST_MONTHS):
        yield errors.FieldFault(
            "last_day",
            f"最长 {leases.LONGEST_MONTHS} 个月",
            f"At most {leases.LONGEST_MONTHS} months",
        )
    if add_months(wish.starts_on, wish.free_months) > wish.ends_on:
        yield errors.FieldFault(
            "free_months", "免租期长于租期", "More free months than the term has"
        )


def _renter_faults(tenant: Tenant) -> Iterator[errors.FieldFault]:
    """P14, the compliance gate of the policies: rating D suspends new contracts too."""
    if tenant.status != "active" or tenant.compliance_rating == "D":
        yield errors.FieldFault(
            "tenant", "合规评级为 D 或账户停用(P14)", "Rated D or not active (policy P14)"
        )
