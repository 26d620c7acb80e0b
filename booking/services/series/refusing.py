"""How a series is refused: with every date that cannot be booked, and what could be instead."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from base_ops.core import errors
from booking.domain.rules import RulesBroken
from booking.services.series.looking import Seen, conflicts_json, lacking_json
from booking.services.series.proposing import propose


class SeriesConflicts(errors.Conflict):
    """Some dates are taken; nothing was booked.

    Alternatives are looked up when the context is first read: by then the caller's transaction
    has given the rooms back, and nobody waits for the search.
    """

    code, title_zh, title_en = (
        "series_conflicts",
        "系列中有日期无法预订",
        "Some dates of the series cannot be booked",
    )

    def __init__(self, seen: Sequence[Seen], *, now: datetime) -> None:
        self._seen, self._now, self._proposed = seen, now, False
        bad = [one for one in seen if one.verdict in ("conflict", "rules_broken")]
        super().__init__(f"{len(bad)} of {len(seen)} dates", instances=[])

    @property
    def context(self) -> dict[str, object]:
        """The dates that cannot be booked, with what is in the way and what would be free."""
        if not self._proposed:
            self._proposed = True
            propose(self._seen, now=self._now)
            self._known["instances"] = refused_json(self._seen)
        return self._known

    @context.setter
    def context(self, known: dict[str, object]) -> None:
        self._known = known


class SeriesRulesBroken(RulesBroken):
    """Some dates break rules; nothing was booked. `instances` names them, `broken` the rules."""

    code, title_zh, title_en = (
        "series_rules_broken",
        "系列中有日期不符合预订规则",
        "Some dates of the series break a rule",
    )


class InstanceNotFound(errors.NotFound):
    """The series has no such date, or no booking on it."""

    code, title_zh, title_en = (
        "instance_not_found",
        "系列中没有该日期",
        "No such date in the series",
    )


class NotSkipped(errors.Conflict):
    """Only a date that was left out can be added again."""

    code, title_zh, title_en = (
        "instance_not_skipped",
        "该日期未被跳过",
        "This date was not left out",
    )


class TooLate(errors.Conflict):
    """The instance has begun, or is over."""

    code, title_zh, title_en = (
        "instance_too_late",
        "该次预订已开始或已结束",
        "This instance has begun or is over",
    )


def refuse(seen: Sequence[Seen], *, now: datetime) -> None:
    """Refuse if any instance cannot be booked.

    Raises:
        SeriesConflicts: some date is taken.
        SeriesRulesBroken: none is taken, but some break rules.
    """
    verdicts = {one.verdict for one in seen}
    if "conflict" in verdicts:
        raise SeriesConflicts(seen, now=now)
    if "rules_broken" in verdicts:
        broken = {b.code: b for one in seen for b in one.broken}
        raise SeriesRulesBroken(
            ", ".join(broken),
            fields=[errors.FieldFault(b.field, b.reason_zh, b.reason_en) for b in broken.values()],
            broken=[b.as_json() for b in broken.values()],
            instances=refused_json(seen),
        )


def refused_json(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """The dates that cannot be booked."""
    return [
        detail_json(one) | {"alternatives": one.alternatives}
        for one in seen
        if one.verdict in ("conflict", "rules_broken")
    ]


def detail_json(one: Seen) -> dict[str, Any]:
    """One date that has no booking, as a skip remembers it."""
    span = one.asked.wish.span
    return {
        "recurrence_id": one.asked.recurrence_id.isoformat(),
        "starts_at": span.start.isoformat(),
        "ends_at": span.end.isoformat(),
        "space": one.asked.wish.space.code,
        "verdict": one.verdict,
        "conflicts": conflicts_json(one),
        "lacking": lacking_json(one),
        "broken": [b.as_json() for b in one.broken],
    }
