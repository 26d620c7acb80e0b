"""Processes that book a series each at the same instant, for the race.

`python -m tests.booking.rival_series '<json>'` loads the project once and forks one per rival.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from tests.billing.data import ROOT

TIMEOUT_S = 120


def run(wishes: list[dict[str, Any]], database_url: str) -> list[str]:
    """Each rival in a process of its own; what became of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.booking.rival_series", json.dumps(wishes)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url},
        timeout=TIMEOUT_S,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def main(wishes: list[dict[str, Any]]) -> None:
    """Load the project once, fork the rivals, collect their answers."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(wishes), timeout=TIMEOUT_S)
    answers = fork.SimpleQueue()
    rivals = [fork.Process(target=rival, args=(wish, start, answers)) for wish in wishes]
    for process in rivals:
        process.start()
    found = [answers.get() for _ in rivals]
    for process in rivals:
        process.join()
    print(json.dumps(found))  # noqa: T201


def rival(wish: dict[str, Any], start: Any, answers: Any) -> None:
    """Connect, warm up, wait for the others, book once."""
    from base_ops.core.actors import SYSTEM
    from base_ops.core.errors import DomainError
    from base_ops.core.models import Space, Tenant
    from base_ops.core.spans import Span
    from booking.services import series
    from booking.services.wishes import BookingWish, Extra

    rows = Space.objects.select_related("type", "floor")
    first, now = (datetime.fromisoformat(wish[k]) for k in ("starts_at", "now"))
    asked = series.SeriesWish(
        BookingWish(
            space=rows.get(code=wish["space"]),
            tenant=Tenant.objects.get(code=wish["tenant"]),
            span=Span(first, first + timedelta(hours=1)),
            extras=[Extra(space=rows.get(code=wish["beside"]))],
        ),
        wish["rrule"],
    )
    series.look(series.expanded(asked), now=now)
    start.wait()
    try:
        series.create(wish=asked, mode="skip", actor=SYSTEM, now=now)
    except DomainError as exc:
        answers.put(exc.code)
    except Exception as exc:  # noqa: BLE001 - outermost: the test wants to see what it was
        answers.put(f"crash: {type(exc).__name__}: {exc}")
    else:
        answers.put("booked")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
