"""Where working days come from: what the base entered, else what we ship, else not announced."""

import functools
import json
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from base_ops.core import audit
from base_ops.core.actors import Actor
from base_ops.core.models import WorkYear
from base_ops.core.workdays import Break, Calendar, Day, MakeUpDay, Year

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "china_workdays.json"


def calendar(years: Collection[int]) -> Calendar:
    """The working days of these years; one query."""
    entered = {row.year: _year(row) for row in WorkYear.objects.filter(year__in=years)}
    known = {n: year for n, year in shipped().items() if n in years}
    return Calendar(known | entered)


def day(when: date) -> Day:
    """What is known of one day; for many, ask `calendar` once."""
    return calendar([when.year]).day(when)


def year_and_version(number: int) -> tuple[Year, int]:
    """One year and the version it was edited to; 0 as long as nobody did."""
    row = WorkYear.objects.filter(year=number).first()
    if row is not None:
        return _year(row), row.version
    return shipped().get(number) or Year(number), 0


@functools.cache
def shipped() -> dict[int, Year]:
    """The years that come with the product."""
    data = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return {row["year"]: read({"announced": True} | row) for row in data["years"]}


def read(data: Mapping[str, Any]) -> Year:
    """A year from its JSON form.

    Raises:
        workdays.BadYear: the days contradict each other.
    """
    return Year(
        year=data["year"],
        announced=data["announced"],
        breaks=tuple(
            Break(_date(b["first"]), _date(b["last"]), b["zh"], b["en"]) for b in data["breaks"]
        ),
        make_up_days=tuple(
            MakeUpDay(_date(m["day"]), m["zh"], m["en"]) for m in data["make_up_days"]
        ),
        source=data["source"],
    )


def as_json(year: Year) -> dict[str, Any]:
    """The JSON form of a year, which `read` takes."""
    return {
        "year": year.year,
        "announced": year.announced,
        "breaks": [
            {"first": b.first.isoformat(), "last": b.last.isoformat(), "zh": b.zh, "en": b.en}
            for b in sorted(year.breaks, key=lambda b: b.first)
        ],
        "make_up_days": [
            {"day": m.day.isoformat(), "zh": m.zh, "en": m.en}
            for m in sorted(year.make_up_days, key=lambda m: m.day)
        ],
        "source": year.source,
    }


def put(
    *, year: Year, actor: Actor, check: Callable[[int], None] = lambda version: None, now: datetime
) -> tuple[Year, int]:
    """Enter a whole year, announced or taken back; returns it with its new version.

    `check` sees the version that is replaced before anything changes.
    """
    with transaction.atomic():
        blank = {"announced": False, "changed_at": now, "version": 0}
        WorkYear.objects.get_or_create(year=year.year, defaults=blank)
        row = WorkYear.objects.select_for_update().get(year=year.year)
        check(row.version)
        before = _year(row) if row.version else shipped().get(year.year) or Year(year.year)
        after = as_json(year)
        for name in ("announced", "breaks", "make_up_days", "source"):
            setattr(row, name, after[name])
        row.changed_at = now
        row.version += 1
        row.save()
        audit.record(
            actor=actor, action="workdays.put", object_type="work_year",
            object_code=str(year.year), before=as_json(before), after=after, now=now,
        )  # fmt: skip
    return year, row.version


def _year(row: WorkYear) -> Year:
    return read(
        {
            "year": row.year,
            "announced": row.announced,
            "breaks": row.breaks,
            "make_up_days": row.make_up_days,
            "source": row.source,
        }
    )


def _date(text: str) -> date:
    return date.fromisoformat(text)
