"""Random lives of leases against a plain model: nothing overlaps, every day is billed once."""

import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum

from base_ops.core import errors, money
from base_ops.core.models import Space, Tenant
from base_ops.core.months import add_months, first_of, months_of
from billing.models import Charge
from booking import selectors, services
from booking.models import Allocation, Lease
from booking.services import lease_ending, leasing
from tests import make
from tests.booking import lets
from tests.booking.lets import FINANCE

pytestmark = pytest.mark.usefixtures("prices")
DAY = timedelta(days=1)
UNITS = 6
START = date(2027, 10, 20)  # over a leap day


@dataclass
class Let:
    """A lease as plain dates; `last` moves, `free_to` is the first paid day."""

    units: list[int]
    first: date
    last: date
    rent: int
    free_to: date
    renewed: bool = False
    begun_as: date | None = None

    def days(self) -> set[date]:
        return {self.first + DAY * n for n in range((self.last - self.first).days + 1)}


@dataclass
class World:
    """The model beside the database."""

    space: Space
    tenant: Tenant
    today: date = START
    lets: dict[str, Let] = field(default_factory=dict)

    def busy(self) -> dict[int, set[date]]:
        found: dict[int, set[date]] = defaultdict(set)
        for let in self.lets.values():
            for unit in let.units:
                found[unit] |= let.days()
        return found

    def fits(self, units: list[int], first: date, last: date) -> bool:
        wanted = Let(units, first, last, 0, first).days()
        busy = self.busy()
        return not any(busy[unit] & wanted for unit in units)


def tried(deed: object) -> bool:
    """Whether the deed was done; a refusal leaves nothing behind."""
    with suppress(errors.DomainError), transaction.atomic():
        deed()  # type: ignore[operator]
        return True
    return False


def sign(world: World, rng: random.Random) -> None:
    units = sorted(rng.sample(range(1, UNITS + 1), rng.choice([1, 1, 2, 3, UNITS])))
    first = world.today + DAY * rng.randint(-5, 70)
    months, free = rng.randint(1, 5), rng.randint(0, 1)
    ends_on = add_months(first, months) + DAY * rng.choice([0, 0, 3])
    rent = rng.randint(1, 999_999)
    made: list[Lease] = []

    def deed() -> None:
        wish = lets.wish(
            world.space, tenant=world.tenant, unit_numbers=tuple(units), starts_on=first,
            ends_on=ends_on, free_months=free, monthly_rent_fen=rent,
        )  # fmt: skip
        now = lets.noon(world.today)
        draft = leasing.draft(wish=wish, actor=FINANCE, now=now)
        made.append(leasing.sign(lease=draft, actor=FINANCE, now=now))

    done = tried(deed)
    assert done == world.fits(units, first, ends_on - DAY)
    if done:
        free_to = add_months(first, free)
        world.lets[made[0].code] = Let(units, first, ends_on - DAY, rent, free_to, begun_as=first)


def renew(world: World, rng: random.Random) -> None:
    code = pick(world, rng)
    if code is None:
        return
    lease, let = Lease.objects.get(code=code), world.lets[code]
    months, rent = rng.randint(1, 3), rng.randint(1, 999_999)
    made: list[Lease] = []

    def deed() -> None:
        made.append(
            leasing.renew(
                lease=lease, renewal=leasing.Renewal(months, monthly_rent_fen=rent),
                actor=FINANCE, now=lets.noon(world.today),
            )
        )  # fmt: skip

    done = tried(deed)
    if not done:
        first = let.last + DAY
        free = lease.status == "signed" and not let.renewed and let.last >= world.today
        assert not (free and world.fits(let.units, first, add_months(first, months + 1)))
        return
    following = made[0]
    first, last = let.last + DAY, following.ends_on - DAY
    assert world.fits(let.units, first, last)
    let.renewed = True
    world.lets[following.code] = Let(let.units, first, last, rent, first, begun_as=let.begun_as)


def terminate(world: World, rng: random.Random) -> None:
    code = pick(world, rng)
    if code is None:
        return
    lease, let = Lease.objects.get(code=code), world.lets[code]
    last = world.today + DAY * rng.randint(-3, 60)

    def deed() -> None:
        lease_ending.terminate(
            lease=lease, last_day=last, reason="x", by_agreement=True, actor=FINANCE,
            now=lets.noon(world.today),
        )  # fmt: skip

    possible = not let.renewed and max(world.today, let.first) <= last < let.last
    assert tried(deed) == (possible and lease.status in ("signed", "noticed"))
    if possible and lease.status in ("signed", "noticed"):
        let.last = last


def withdraw(world: World, rng: random.Random) -> None:
    code = pick(world, rng)
    if code is None:
        return
    lease, let = Lease.objects.get(code=code), world.lets[code]

    def deed() -> None:
        lease_ending.withdraw(lease=lease, reason="x", actor=FINANCE, now=lets.noon(world.today))

    possible = lease.status == "signed" and not let.renewed and let.first > world.today
    assert tried(deed) == possible
    if possible:
        if lease.renews:
            world.lets[lease.renews.code].renewed = False
        del world.lets[code]


def pass_days(world: World, rng: random.Random) -> None:
    """The clock goes on; the job runs at least once a month, as it must."""
    for _ in range(rng.randint(1, 25)):
        world.today += DAY
        if world.today.day == 1 or rng.random() < 0.1:
            services.charge_leases(now=lets.noon(world.today))
            services.end_leases(now=lets.noon(world.today))


def pick(world: World, rng: random.Random) -> str | None:
    return rng.choice(sorted(world.lets)) if world.lets else None


def expected_fen(let: Let, month: date) -> int:
    """Each day of the month is a fraction of the rent; the free ones come off."""
    days = (add_months(month, 1) - month).days
    used = [d for d in let.days() if first_of(d) == month]
    free = [d for d in used if d < let.free_to]

    def share(count: int) -> int:
        return money.round_half_up(Decimal(let.rent * count) / days)

    return share(len(used)) - share(len(free))


def billed(code: str) -> dict[date, int]:
    rows = Charge.objects.filter(fact__source__startswith=f"lease/{code}/")
    return dict(rows.values_list("service_on").annotate(n=Sum("gross_fen")).order_by())


def check(world: World) -> None:
    """What the database holds is what the model holds."""
    rows = {row.code: row for row in selectors.leases_for(None)}
    for code, let in world.lets.items():
        row = rows[code]
        assert selectors.unit_numbers(row) == let.units
        assert (row.starts_on, row.ends_on - DAY) == (let.first, let.last)
        blocks = {(a.span.start, a.span.end) for a in row.allocations.all()}
        assert blocks == {(row.span.start, row.span.end)}
    live = Allocation.objects.filter(space=world.space, active=True).count()
    assert live == sum(len(let.units) for let in world.lets.values())
    busy = [(unit, day) for let in world.lets.values() for unit in let.units for day in let.days()]
    assert len(busy) == len(set(busy))


@pytest.mark.no_cover  # it repeats what other tests reach, some hundreds of times
@pytest.mark.parametrize("seed", range(4))
def test_random_lives_of_leases(seed: int) -> None:
    rng = random.Random(seed)
    world = World(lets.desks(UNITS), make.tenant(registered_in_panyu=False))
    deeds = [sign, sign, renew, terminate, withdraw, pass_days, pass_days]
    for _ in range(90):
        rng.choice(deeds)(world, rng)
        check(world)
    end = max((let.last for let in world.lets.values()), default=world.today)
    for month in months_of(world.today, add_months(end, 1)):
        services.charge_leases(now=lets.noon(month))

    assert len(world.lets) > 3
    gone = set(Lease.objects.values_list("code", flat=True)) - world.lets.keys()
    assert all(sum(billed(code).values()) == 0 for code in gone)
    for code, let in world.lets.items():
        months = months_of(let.first, let.last)
        owed = {month: expected_fen(let, month) for month in months}
        assert {m: n for m, n in billed(code).items() if n} == {m: n for m, n in owed.items() if n}
