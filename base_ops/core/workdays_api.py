"""Working days over HTTP: read by everybody, entered by managers."""

from datetime import date, timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field, StringConstraints

from base_ops.core import auth, clock, errors, etags, work_years
from base_ops.core.auth import roles
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from base_ops.core.workdays import DayKind, Year

router = Router(tags=["workdays"])

MOST_DAYS = 400
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
NameZh = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
YearNumber = Annotated[int, Query(ge=2000, le=2100)]


class BreakIn(Schema):
    """Days off in a row, both ends included."""

    first: date
    last: date
    zh: NameZh
    en: Name = ""


class MakeUpDayIn(Schema):
    """A weekend day that is worked, and for what."""

    day: date
    zh: NameZh
    en: Name = ""


class WorkYearIn(Schema):
    """A whole year, as the State Council announced it."""

    announced: bool
    breaks: Annotated[list[BreakIn], Field(max_length=30)] = []
    make_up_days: Annotated[list[MakeUpDayIn], Field(max_length=30)] = []
    source: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = ""


class WorkYearOut(WorkYearIn):
    """A year; version 0 is as shipped, or not announced."""

    year: int
    version: int


class WorkDayOut(Schema):
    """One day; `holiday` is null, and `worked` presumed, while its year is not announced."""

    day: date
    kind: DayKind
    worked: bool
    holiday: bool | None
    announced: bool
    zh: str
    en: str


@router.get("/workdays", response={200: WorkYearOut, codes_4xx: Problem})
def read_work_year(request: HttpRequest, response: HttpResponse, year: YearNumber) -> Any:
    """The breaks and make-up days of a year, and its ETag."""
    return _out(response, *work_years.year_and_version(year))


@router.get("/workdays/{int:year}", response={200: WorkYearOut, codes_4xx: Problem})
def read_one_work_year(
    request: HttpRequest, response: HttpResponse, year: Annotated[int, Path(ge=2000, le=2100)]
) -> Any:
    """The same at the address where it is edited."""
    return _out(response, *work_years.year_and_version(year))


@router.put("/workdays/{int:year}", response={200: WorkYearOut, codes_4xx: Problem})
@roles(Role.MANAGER)
def put_work_year(
    request: HttpRequest,
    response: HttpResponse,
    year: Annotated[int, Path(ge=2000, le=2100)],
    wish: WorkYearIn,
) -> Any:
    """Enter or correct a year as a whole; needs If-Match."""
    entered = work_years.put(
        year=work_years.read(wish.model_dump(mode="json") | {"year": year}),
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    return _out(response, *entered)


@router.get("/workdays/days", response={200: list[WorkDayOut], codes_4xx: Problem})
def list_days(
    request: HttpRequest,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
) -> Any:
    """Day by day, both ends included: worked or not, why, and whether that is announced."""
    if first.year < 2000 or last.year > 2100 or first > last:
        raise errors.Invalid("from must not be after to", fields=[_range_fault()])
    if last - first >= timedelta(days=MOST_DAYS):
        raise errors.Invalid(f"at most {MOST_DAYS} days", fields=[_range_fault()])
    return list(work_years.calendar(range(first.year, last.year + 1)).days(first, last))


def _range_fault() -> errors.FieldFault:
    return errors.FieldFault(
        "to",
        f"须不早于 from,在 2000 至 2100 年内,且不超过 {MOST_DAYS} 天",
        f"not before from, in the years 2000 to 2100, at most {MOST_DAYS} days",
    )


def _out(response: HttpResponse, year: Year, version: int) -> dict[str, Any]:
    response["ETag"] = etags.etag_of(version)
    return work_years.as_json(year) | {"version": version}
