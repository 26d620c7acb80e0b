"""64 processes want one slot at the same instant: how much longer the slowest waits, and who wins.

Contended: all rivals want one slot of one room. Uncontended: the same rivals at the same instant,
each a slot in a room of its own; so both carry the same load, and the rest is the waiting. An
attempt is `booking.services.book` and what a refused caller is told, alternatives included. Beside
them one rival alone, on an idle machine, for scale.
"""

import json
import multiprocessing
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks import rig

RIVALS = 64
TARGET = 4.0
ROOMS = 16  # contended rooms; each race is a day or two hours after the one before in its room
EVERY = 10  # one uncontended start of all for so many races
LEAD_S = 0.03


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_contention")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one rival met in one race; seconds from its own start."""

    code: str
    took_s: float


def measure() -> list[dict[str, Any]]:
    """All races, and what they say."""
    rig.prepare()
    races = rig.size(full=1000, quick=4)
    rooms, first = _world()
    contended: list[list[Attempt]] = []
    apart: list[Attempt] = []
    alone: list[Attempt] = []
    with _Rivals(first) as rivals:
        for n in range(-2, races):  # the first two warm everything up
            found = rivals.race([(rooms[n % ROOMS], _start(first, n))] * RIVALS)
            if n < 0:
                continue
            contended.append(found)
            if n % EVERY == 0:
                own = [(room, _start(first, n // EVERY)) for room in rooms[ROOMS:]]
                apart += rivals.race(own)
                alone += rivals.race([(rooms[-1], _start(first, 200 + n // EVERY))])
    return _results(contended, apart, alone)


def _results(
    contended: list[list[Attempt]], apart: list[Attempt], alone: list[Attempt]
) -> list[dict[str, Any]]:
    everyone = [attempt for race in contended for attempt in race]
    winners = Counter(sum(a.code == "booked" for a in race) for race in contended)
    codes = Counter(a.code for a in everyone)
    ours, limit = _p99_ms(everyone), _p99_ms(apart)
    facts = {
        "races": len(contended),
        "rivals": RIVALS,
        "codes": dict(codes),
        "uncontended_codes": dict(Counter(a.code for a in apart)),
        "p50_ms": _part_ms(everyone, 0.5),
        "uncontended_p50_ms": _part_ms(apart, 0.5),
        "alone_p50_ms": _part_ms(alone, 0.5),
        "alone_p99_ms": _p99_ms(alone),
        "server_deadlocks": _deadlocks(),
    }
    fair = set(codes) <= {"booked", "slot_taken"} and set(winners) == {1}
    return [
        {
            "name": f"contention: p99 of {RIVALS} for one slot, against each for its own",
            "ours": ours,
            "limit": limit,
            "ratio": (times := rig.ratio(ours, limit)),
            "target": f"<= {TARGET}",
            "kept": times <= TARGET and fair,
            "unit": "ms",
            **facts,
        },
        {
            "name": "contention: races with exactly one winner, nobody else but refused",
            "ours": winners[1] if fair else 0,
            "limit": len(contended),
            "ratio": rig.ratio(winners[1] if fair else 0, len(contended)),
            "target": "= 1",
            "kept": fair,
            "unit": "races",
        },
    ]


class _Rivals:
    """Forked processes that keep their connection and run each race on the same instant."""

    def __init__(self, now: datetime) -> None:
        fork = multiprocessing.get_context("fork")
        self._pipes = []
        self._processes = []
        for n in range(RIVALS):
            mine, theirs = fork.Pipe()
            process = fork.Process(target=_rival, args=(n, theirs, now), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def race(self, wishes: list[tuple[str, datetime]]) -> list[Attempt]:
        """Let one rival per wish try; all told before any may start."""
        taking_part = self._pipes[: len(wishes)]
        for pipe, wish in zip(taking_part, wishes, strict=True):
            pipe.send(wish)
        for pipe in taking_part:
            pipe.recv()  # everyone has built the wish and waits
        instant = time.monotonic() + LEAD_S
        for pipe in taking_part:
            pipe.send(instant)
        return [Attempt(*pipe.recv()) for pipe in taking_part]

    def __enter__(self) -> "_Rivals":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.send(None)  # closing would not do: younger rivals have this end of it too
        for process in self._processes:
            process.join(10)


def _rival(number: int, pipe: Any, now: datetime) -> None:
    """One process: for each wish, wait for the instant, try, tell."""
    from base_ops.core.models import Role, Space, Tenant, User
    from base_ops.core.spans import Span
    from booking import services

    tenant = Tenant.objects.get(code=f"RIVAL{number:02d}")
    actor = User.objects.get(tenant=tenant, role=Role.TENANT_ADMIN).actor
    spaces = {s.code: s for s in Space.objects.select_related("type", "floor")}
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        code, start = asked
        span = Span(start, start + timedelta(hours=1))
        wish = services.BookingWish(space=spaces[code], tenant=tenant, span=span)
        pipe.send("waiting")
        instant = pipe.recv()
        time.sleep(max(0.0, instant - time.monotonic()))
        began = time.perf_counter()
        pipe.send((_attempt(wish, actor, now), time.perf_counter() - began))


def _attempt(wish: Any, actor: Any, now: datetime) -> str:
    from base_ops.core import errors
    from booking import services

    try:
        services.book(wish=wish, actor=actor, now=now)
    except errors.DomainError as exc:
        _ = exc.context  # looks for alternatives, as the answer to the caller does
        return str(exc.code)
    except Exception as exc:  # noqa: BLE001 - outermost: whatever a client saw is the finding
        return f"crash: {type(exc).__name__}: {exc}"
    return "booked"


def _world() -> tuple[list[str], datetime]:
    """Prices, equal rooms, tenants with credit; no connection is left open for the fork."""
    from django.db import connection

    from base_ops.core import clock
    from base_ops.core.models import Role
    from billing import importers
    from booking.domain.rules import ceil_to_grid
    from tests import make
    from tests.billing.data import demo
    from tests.billing.world import room

    importers.load({**demo(), "tenants": [], "training_programmes": []})
    rooms = [room().code for _ in range(ROOMS + RIVALS)]
    for n in range(RIVALS):
        rich = make.tenant(code=f"RIVAL{n:02d}", compliance_rating="A", credit_limit_fen=10**12)
        make.user(Role.TENANT_ADMIN, tenant=rich)
    connection.close()
    return rooms, ceil_to_grid(clock.now(), 60)


def _start(first: datetime, n: int) -> datetime:
    """The slot of a race: two hours after the one before in the same room, within two months."""
    return first + timedelta(days=1, hours=2 * (n // ROOMS if n >= 200 * ROOMS else n % 600))


def _part_ms(attempts: list[Attempt], part: float) -> float:
    found = sorted(a.took_s for a in attempts)
    return round(1000 * found[min(len(found) - 1, int(part * len(found)))], 1)


def _p99_ms(attempts: list[Attempt]) -> float:
    return _part_ms(attempts, 0.99)


def _deadlocks() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(measure())}\n")
