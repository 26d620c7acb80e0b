"""Many processes that want one slot at the same instant, each with its own connection.

`python -m tests.booking.rivals '<json>'` loads the project once and forks a process per rival.
Each connects, waits for the common instant, books, and tells what became of it. Threads would not
do: the interpreter serialises their arrival, and neither deadlocks nor double bookings show.

With "unlocked" the rivals leave out the row lock, for the negative control; the constraint is then
dropped by the test.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.billing.data import ROOT

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Race:
    """Who wants what; each round is a day later than the one before."""

    database_url: str
    space: str
    tenants: Sequence[str]
    starts_at: datetime
    ends_at: datetime
    now: datetime
    unlocked: bool = False
    rounds: int = 3

    def wish(self, tenant: str) -> dict[str, Any]:
        """What one rival is told."""
        return {
            "space": self.space,
            "tenant": tenant,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "now": self.now.isoformat(),
            "unlocked": self.unlocked,
            "rounds": self.rounds,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rivals, by round."""

    codes: list[Counter[str]]
    answers: list[dict[str, Any]]


def unlocked(race: Race, *, rounds: int = 2) -> Race:
    """The same race without the row lock."""
    return replace(race, unlocked=True, rounds=rounds)


def run(race: Race) -> Outcome:
    """Let every tenant of the race try at once."""
    wishes = json.dumps([race.wish(tenant) for tenant in race.tenants])
    done = subprocess.run(
        [sys.executable, "-m", "tests.booking.rivals", wishes],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": race.database_url},
        timeout=TIMEOUT_S,
        check=True,
    )
    answers = json.loads(done.stdout)
    rounds = [[a["code"] for a in answers if a["round"] == n] for n in range(race.rounds)]
    return Outcome([Counter(codes) for codes in rounds], answers)


def main(wishes: list[dict[str, Any]]) -> None:
    """Load the project, fork the rivals, collect their answers."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()

    from booking.services import locking

    if wishes[0]["unlocked"]:
        locking.lock_spaces = locking.ask_spaces = lambda space_ids: None
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(wishes), timeout=TIMEOUT_S)
    answers = fork.SimpleQueue()
    rivals = [fork.Process(target=_rival, args=(wish, start, answers)) for wish in wishes]
    for rival in rivals:
        rival.start()
    found = [answers.get() for _ in rivals for _ in range(wishes[0]["rounds"])]
    for rival in rivals:
        rival.join()
    print(json.dumps(found))  # noqa: T201


def _rival(wish: dict[str, Any], start: Any, answers: Any) -> None:
    """One process: connect and warm up, then in each round wait for the others and try once."""
    from booking import services

    services.offer_quote(wish=_wish(wish, 0), now=datetime.fromisoformat(wish["now"]))
    for number in range(wish["rounds"]):
        asked = _wish(wish, number)
        start.wait()
        # Awake is not yet running: all of them look at the clock until the same instant.
        instant = time.time() // 0.25 * 0.25 + 0.5
        time.sleep(max(0.0, instant - time.time()))
        answers.put(attempt(asked, wish["now"]) | {"round": number})


def _wish(wish: dict[str, Any], number: int) -> Any:
    from base_ops.core.models import Space, Tenant
    from base_ops.core.spans import Span
    from booking import services

    later = timedelta(days=number)
    start, end = (datetime.fromisoformat(wish[k]) + later for k in ("starts_at", "ends_at"))
    return services.BookingWish(
        space=Space.objects.select_related("type", "floor").get(code=wish["space"]),
        tenant=Tenant.objects.get(code=wish["tenant"]),
        span=Span(start, end),
    )


def attempt(asked: Any, now: str) -> dict[str, Any]:
    """Try to book once; anything but a refusal that a client understands is told by its name."""
    from base_ops.core import db, errors
    from base_ops.core.actors import SYSTEM
    from booking import services

    at = datetime.fromisoformat(now)
    try:
        booking = db.in_transaction(lambda: services.book(wish=asked, actor=SYSTEM, now=at))
    except errors.DomainError as exc:
        offers = exc.context.get("alternatives", [])
        return {"code": exc.code, "alternatives": len(offers)}  # type: ignore[arg-type]
    except Exception as exc:  # noqa: BLE001 - outermost: the test wants to see what it was
        return {"code": f"crash: {type(exc).__name__}: {exc}"}
    return {"code": "booked", "booking": booking.code}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
