"""Is this process alive, and is the whole base ready? Apps register what they can tell.

/healthz asks nothing of anybody. /readyz asks every registered check and answers 503 with all
results when one of them fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from base_ops.core import clock
from base_ops.core.models import JobSlot

LEADER_JOB = "jobs.leader"
LEADER_SILENCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's answer; `facts` are shown, so no secrets."""

    ok: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[datetime], Verdict]
_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Let /readyz ask `check`; the last registration of a name counts."""
    _checks[name] = check


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers: nothing else is asked, the database least of all."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """Every check's verdict; 503 when one fails. Without a database the others are not asked."""
    now = clock.now()
    verdicts = {"database": database(now)}
    if verdicts["database"].ok:
        verdicts |= {name: _ask(check, now) for name, check in _checks.items()}
    ok = all(verdict.ok for verdict in verdicts.values())
    checks = {name: {"ok": v.ok, **v.facts} for name, v in verdicts.items()}
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)


def _ask(check: Check, now: datetime) -> Verdict:
    try:
        return check(now)
    except DatabaseError as exc:
        return Verdict(ok=False, facts={"reason": type(exc).__name__})


def database(now: datetime) -> Verdict:
    """Whether PostgreSQL answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        connection.close()
        return Verdict(ok=False, facts={"reason": type(exc).__name__})
    return Verdict(ok=True)


def jobs_leader(now: datetime) -> Verdict:
    """Whether some process leads the periodic jobs: its heartbeat job ran lately."""
    last = (
        JobSlot.objects.filter(job=LEADER_JOB)
        .order_by("-slot")
        .values_list("started_at", flat=True)
        .first()
    )
    if last is None:
        return Verdict(ok=False, facts={"reason": "no leader yet"})
    age = (now - last).total_seconds()
    return Verdict(ok=age <= LEADER_SILENCE.total_seconds(), facts={"age_s": round(age, 1)})


register_check("jobs", jobs_leader)
