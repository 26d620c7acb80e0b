"""Rating bookings, against the same by the ORM: for each booking its tariff, bands, surges, VAT.

Both give the same lines, fen by fen: room time cut into bands and days, sessions of four hours,
surges, VAT by line. The rival asks four indexed queries a booking and reckons in Decimal; a second
figure is ours with all of the demo's policies, which the rival does not judge at all.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks import rig

TARGET = 20.0
ROUNDS = 5
Lines = list[tuple[int, int, int]]


def run() -> list[dict[str, Any]]:
    """Measure in a process with a database of its own."""
    return rig.alone("benchmarks.bench_rating")


def measure() -> list[dict[str, Any]]:
    """All in turns, so that a busy machine is as busy for each; the median of each."""
    rig.prepare()
    from benchmarks import rating_rival
    from billing import importers
    from billing.domain import rating
    from tests.billing.data import demo, situation

    book = importers.load({**demo(), "tenants": [], "training_programmes": []})
    plain = replace(book, policies=())
    count = rig.size(full=400, quick=60)
    wishes = _wishes(count * 10, sorted(c for c, t in book.tariffs.items() if t.hourly_fen))
    known = situation("T007", date(2026, 9, 15))

    def ours(wanted: Sequence[Any]) -> list[Lines]:
        quotes = [rating.rate(wish, book=plain, situation=known) for wish in wanted]
        return [[(e.gross_fen, e.net_fen, e.vat_fen) for e in q.lines] for q in quotes]

    def judged(wanted: Sequence[Any]) -> None:
        for wish in wanted:
            rating.rate(wish, book=book, situation=known)

    few = wishes[:count]
    if ours(few) != rating_rival.rate(few):
        raise AssertionError("ours and the rival's lines differ")
    rates = _medians(
        [
            (lambda: ours(wishes), len(wishes)),
            (lambda: rating_rival.rate(few), len(few)),
            (lambda: judged(wishes), len(wishes)),
        ]
    )
    return [
        _result("rating a booking's list price, against the ORM row by row", *rates[:2]),
        _result("the same, ours judging 17 policies besides", rates[2], rates[1], promised=False),
    ]


def _result(name: str, ours: float, limit: float, *, promised: bool = True) -> dict[str, Any]:
    plain = {
        "name": name,
        "ours": round(ours),
        "limit": round(limit),
        "ratio": rig.ratio(ours, limit),
        "unit": "bookings/s",
    }
    promise = {"target": f">= {TARGET}", "kept": ours >= TARGET * limit}
    return plain | (promise if promised else {})


def _medians(deeds: Sequence[tuple[Callable[[], object], int]]) -> list[float]:
    """How many a second of each."""
    found: list[list[float]] = [[] for _ in deeds]
    for _ in range(ROUNDS):
        for rates, (deed, count) in zip(found, deeds, strict=True):
            start = time.perf_counter()
            deed()
            rates.append(count / (time.perf_counter() - start))
    return [sorted(rates)[ROUNDS // 2] for rates in found]


def _wishes(count: int, tariffs: Sequence[str]) -> list[Any]:
    """Bookings of one to six hours on the half hours of a year."""
    from base_ops.core.spans import Span
    from billing.domain.rating import RoomWish

    dice = random.Random(1)  # noqa: S311 - the same wishes each time
    year = datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for n in range(count):
        start = year + timedelta(minutes=30 * dice.randrange(365 * 48))
        span = Span(start, start + timedelta(minutes=30 * dice.randint(2, 12)))
        name = f"直播间{n % 60:02d}", f"Studio {n % 60:02d}"
        found.append(RoomWish(*name, "studio_single", dice.choice(tariffs), span))
    return found


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201
