"""The booking figures for the KPI report."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from base_ops.core import auth, clock, errors
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from booking import reporting
from booking.api import common
from booking.schemas.figures import By, FiguresOut

router = Router(tags=["booking"])
LONGEST_DAYS = 3653
LONGEST_BY_DAY = 366
FIRST, LAST = date(2000, 1, 1), date(2101, 1, 1)


class WholeMonths(errors.Invalid):
    """The district sees whole months: single days would tell of single tenants."""

    code = "whole_months"
    title_zh = "仅提供整月汇总"
    title_en = "Only whole months are given"


@router.get("/figures/booking", response={200: FiguresOut, codes_4xx: Problem}, by_alias=True)
def read_figures(
    request: HttpRequest,
    start: Annotated[date, Query(alias="from")],
    to: date,
    by: By = "total",
) -> FiguresOut:
    """Utilisation, rates, lead times, sessions and refusals of the days [from, to).

    No money is in them. The district gets whole months, and nothing that tells of fewer than
    three tenants.
    """
    user = auth.user_of(request)
    auth.check_role(user, Role.MANAGER, Role.FINANCE, Role.LIAISON)
    _check_days(start, to, by)
    aggregate = user.role == Role.LIAISON
    if aggregate:
        _check_months(start, to, by)
    return reporting.booking_figures(
        first=start, last=to, by=by, aggregate=aggregate, now=clock.now()
    )


def _check_days(first: date, last: date, by: By) -> None:
    most = LONGEST_BY_DAY if by == "day" else LONGEST_DAYS
    if not (FIRST <= first < last <= LAST and (last - first).days <= most):
        raise common.BadSpan(f"{first} .. {last}", fields=[common.fault("to", common.BadSpan)])


def _check_months(first: date, last: date, by: By) -> None:
    for name, day in (("from", first), ("to", last)):
        if day.day != 1:
            raise WholeMonths(str(day), fields=[common.fault(name, WholeMonths)])
    if by in ("day", "week"):
        raise WholeMonths(by, fields=[common.fault("by", WholeMonths)])
