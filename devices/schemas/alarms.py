"""What the API says about alarms, their rules, and silences."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, Field

from base_ops.core.errors import FieldFault
from devices.domain import alarms
from devices.models import Alarm, AlarmRules, AlarmSilence


def _is_text(value: str) -> str:
    """Raises ValueError on what a database cannot hold, or that says nothing."""
    if "\x00" in value or not value.strip():
        raise ValueError("须为文本 / a text is expected")
    return value.strip()


Text = Annotated[str, AfterValidator(_is_text)]


class AlarmOut(Schema):
    """One alarm; active while `cleared_at` is null.

    `state`: active or cleared, acknowledged or unacknowledged, as active_unacknowledged.
    """

    id: int
    code: str
    rule: str
    title_zh: str
    title_en: str
    runbook_zh: str
    runbook_en: str
    severity: str
    state: str
    device: str | None
    space: str | None
    detail: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    flapping: bool
    escalated: int


class CommentOut(Schema):
    """What somebody said."""

    at: datetime
    by: str
    text: str


class AlarmDetailOut(AlarmOut):
    """With what was said about it."""

    comments: list[CommentOut]


class CommentIn(Schema):
    """Something to say."""

    text: Text = Field(max_length=1000)


class SilenceIn(Schema):
    """Of a device or of a space, until when, and why."""

    device: str | None = Field(default=None, max_length=64)
    space: str | None = Field(default=None, max_length=32)
    until: datetime
    reason: Text = Field(max_length=240)


class SilenceOut(Schema):
    """A time in which nobody is told of alarms of one thing."""

    id: int
    device: str | None
    space: str | None
    reason: str
    created_at: datetime
    created_by: str
    until: datetime
    ended_at: datetime | None


class AlarmRulesOut(Schema):
    """The rules in force, as a document."""

    version: int
    created_at: datetime
    created_by: str
    note: str
    rules: list[dict[str, Any]]


class AlarmRulesVersionOut(Schema):
    """One version: who wrote it, when, why."""

    version: int
    created_at: datetime
    created_by: str
    note: str


class AlarmRulesIn(Schema):
    """All rules as they are to be."""

    rules: list[dict[str, Any]] = Field(max_length=200)
    note: str = Field(default="", max_length=240)


class AlarmRuleIn(Schema):
    """One rule as it is to be."""

    rule: dict[str, Any]
    note: str = Field(default="", max_length=240)


class RuleFaultOut(Schema):
    """One thing that is wrong, and where."""

    field: str
    reason_zh: str
    reason_en: str


class AlarmRulesCheckOut(Schema):
    """Everything wrong with a draft; empty: it can be published."""

    faults: list[RuleFaultOut]


def alarm_out(row: Alarm) -> AlarmOut:
    """One alarm; `device` and `space` should be loaded."""
    title_zh, title_en = alarms.title_of(row.code, row.title_zh, row.title_en)
    return AlarmOut(
        id=row.pk,
        code=row.code,
        rule=row.rule,
        title_zh=title_zh,
        title_en=title_en,
        runbook_zh=row.runbook_zh,
        runbook_en=row.runbook_en,
        severity=row.severity,
        state=row.state,
        device=row.device.code if row.device else None,
        space=row.space.code if row.space else None,
        detail=row.detail,
        raised_at=row.raised_at,
        cleared_at=row.cleared_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        flapping=row.good_since is not None,
        escalated=row.escalated,
    )


def alarm_detail_out(row: Alarm) -> AlarmDetailOut:
    """One alarm with its comments."""
    said = [CommentOut(at=c.at, by=c.by, text=c.text) for c in row.comments.all()]
    return AlarmDetailOut(**alarm_out(row).model_dump(), comments=said)


def silence_out(row: AlarmSilence) -> SilenceOut:
    """One silence; `device` and `space` should be loaded."""
    return SilenceOut(
        id=row.pk,
        device=row.device.code if row.device else None,
        space=row.space.code if row.space else None,
        reason=row.reason,
        created_at=row.created_at,
        created_by=row.created_by,
        until=row.until,
        ended_at=row.ended_at,
    )


def version_out(row: AlarmRules) -> AlarmRulesVersionOut:
    """One version without its rules."""
    return AlarmRulesVersionOut(
        version=row.version, created_at=row.created_at, created_by=row.created_by, note=row.note
    )


def rules_out(row: AlarmRules) -> AlarmRulesOut:
    """One version with its rules."""
    return AlarmRulesOut(**version_out(row).model_dump(), rules=row.document["rules"])


def faults_out(faults: list[FieldFault]) -> AlarmRulesCheckOut:
    """The faults of a draft."""
    return AlarmRulesCheckOut(
        faults=[
            RuleFaultOut(field=f.name, reason_zh=f.reason_zh, reason_en=f.reason_en)
            for f in faults
        ]
    )
