"""Many processes that want one slot at the same instant, each with its own connection.

`python -m tests.booking.rivals '<json>'` is one rival: it gets ready, says so, waits for the word
on its standard input, books, and prints what became of it. Threads would not do: the interpreter
serialises their arrival, and neither deadlocks nor double bookings show.

With "unlocked" a rival leaves out the row lock, for the negative control; the constraint is then
dropped by the test.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.billing.data import ROOT

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Race:
    """Who wants what."""

    database_url: str
    space: str
    tenants: Sequence[str]
    starts_at: datetime
    ends_at: datetime
    now: datetime
    unlocked: bool = False

    def wish(self, tenant: str) -> dict[str, Any]:
        """What one rival is told."""
        return {
            "space": self.space,
            "tenant": tenant,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "now": self.now.isoformat(),
            "unlocked": self.unlocked,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rivals."""

    codes: Counter[str]
    answers: list[dict[str, Any]]


def replaced(race: Race, *, unlocked: bool) -> Race:
    """The same race with or without the row lock."""
    return replace(race, unlocked=unlocked)


def run(race: Race, *, at_once: int = 16) -> Outcome:
    """Let every tenant of the race try, in `at_once` processes that each play several rivals."""
    shares = [list(race.tenants[n::at_once]) for n in range(at_once)]
    with _processes(race, [share for share in shares if share]) as rivals:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n", "a rival did not start; see its errors"
        start = time.time() + 0.3  # the same instant for all
        answers = _answers(rivals, start)
    return Outcome(Counter(a["code"] for a in answers), answers)


def _answers(rivals: Sequence["subprocess.Popen[str]"], start: float) -> list[dict[str, Any]]:
    """Give the word to all before reading anybody's answer."""
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write(f"{start}\n")
        rival.stdin.flush()
    return [
        answer
        for rival in rivals
        for answer in json.loads(rival.communicate(timeout=TIMEOUT_S)[0])
    ]


@contextmanager
def _processes(
    race: Race, shares: Sequence[Sequence[str]]
) -> Iterator[list["subprocess.Popen[str]"]]:
    environment = os.environ | {"DATABASE_URL": race.database_url}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.booking.rivals", json.dumps([race.wish(t) for t in s])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        for s in shares
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def main(wishes: list[dict[str, Any]]) -> None:
    """Play the rivals of one process, one thread each with a connection of its own."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from booking.services import making

    if wishes[0]["unlocked"]:
        making.lock_spaces = lambda ids: []
    with ThreadPoolExecutor(len(wishes)) as pool:
        list(pool.map(lambda _: connection.ensure_connection(), wishes))
        print("ready", flush=True)  # noqa: T201
        time.sleep(max(0.0, float(sys.stdin.readline()) - time.time()))
        print(json.dumps(list(pool.map(attempt, wishes))), flush=True)  # noqa: T201


def attempt(wish: dict[str, Any]) -> dict[str, Any]:
    """Try to book once; anything but a refusal that a client can understand is told by its name."""
    from base_ops.core import db, errors
    from base_ops.core.actors import SYSTEM
    from base_ops.core.models import Space, Tenant
    from base_ops.core.spans import Span
    from booking import services

    span = Span(*(datetime.fromisoformat(wish[k]) for k in ("starts_at", "ends_at")))
    asked = services.BookingWish(
        space=Space.objects.select_related("type", "floor").get(code=wish["space"]),
        tenant=Tenant.objects.get(code=wish["tenant"]),
        span=span,
    )
    now = datetime.fromisoformat(wish["now"])
    try:
        booking = db.in_transaction(lambda: services.book(wish=asked, actor=SYSTEM, now=now))
    except errors.DomainError as exc:
        offers = exc.context.get("alternatives", [])
        return {"code": exc.code, "alternatives": len(offers)}  # type: ignore[arg-type]
    except Exception as exc:  # noqa: BLE001 - outermost: the test wants to see what it was
        return {"code": f"crash: {type(exc).__name__}: {exc}"}
    return {"code": "booked", "booking": booking.code}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
