"""What the API says about self-audits."""

from datetime import date, datetime

from ninja import Schema


class AuditFaultOut(Schema):
    """One thing that breaks a rule."""

    what: str
    detail: str


class CheckOut(Schema):
    """One rule; the first hundred of what breaks it."""

    code: str
    name_zh: str
    name_en: str
    fault_count: int
    faults: list[AuditFaultOut]


class SelfAuditOut(Schema):
    """One night's result."""

    day: date
    started_at: datetime
    finished_at: datetime
    ok: bool
    fault_count: int
    checks: list[CheckOut]
