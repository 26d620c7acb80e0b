"""The alarm rules: read, check, publish; edits say which version they saw."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from base_ops.core import auth, clock, etags
from base_ops.core.models import Role
from base_ops.core.problems import Problem, codes_4xx
from devices import services
from devices.models import AlarmRules
from devices.schemas.alarms import (
    AlarmRuleIn,
    AlarmRulesCheckOut,
    AlarmRulesIn,
    AlarmRulesOut,
    AlarmRulesVersionOut,
    faults_out,
    rules_out,
    version_out,
)
from devices.services.alarm_rules import BadAlarmRules, check_alarm_rules

router = Router(tags=["devices"])


@router.get("/alarm-rules", response={200: AlarmRulesOut, codes_4xx: Problem})
def read_alarm_rules(request: HttpRequest, response: HttpResponse) -> AlarmRulesOut:
    """The rules in force; the ETag is what an edit must have seen."""
    _staff(request)
    row = AlarmRules.objects.order_by("-version").first()
    if row is None:  # emptied a moment ago
        services.ensure_alarm_rules(now=clock.now())
        row = AlarmRules.objects.get()
    response["ETag"] = etags.etag_of(row.version)
    return rules_out(row)


@router.get(
    "/alarm-rules/versions", response={200: list[AlarmRulesVersionOut], codes_4xx: Problem}
)
def list_alarm_rule_versions(request: HttpRequest) -> list[AlarmRulesVersionOut]:
    """The last hundred versions, the newest first: who wrote it, when, why."""
    _staff(request)
    return [version_out(row) for row in AlarmRules.objects.order_by("-version")[:100]]


@router.put("/alarm-rules", response={200: AlarmRulesOut, codes_4xx: Problem})
def publish_alarm_rules(
    request: HttpRequest, response: HttpResponse, draft: AlarmRulesIn
) -> AlarmRulesOut:
    """Write the next version; refused with every fault; needs the newest version's ETag."""
    _staff(request)
    row = services.publish_alarm_rules(
        document={"rules": draft.rules},
        note=draft.note,
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(row.version)
    return rules_out(row)


@router.post("/alarm-rules/check", response={200: AlarmRulesCheckOut, codes_4xx: Problem})
def check_draft(request: HttpRequest, draft: AlarmRulesIn) -> AlarmRulesCheckOut:
    """Everything wrong with a draft, by field; nothing is written."""
    _staff(request)
    try:
        check_alarm_rules({"rules": draft.rules})
    except BadAlarmRules as exc:
        return faults_out(list(exc.fields))
    return faults_out([])


@router.put("/alarm-rules/{code}", response={200: AlarmRulesOut, codes_4xx: Problem})
def edit_alarm_rule(
    request: HttpRequest, response: HttpResponse, code: str, draft: AlarmRuleIn
) -> AlarmRulesOut:
    """Write a version in which one rule is as given; needs the newest version's ETag."""
    _staff(request)
    row = services.edit_alarm_rule(
        code=code,
        rule=draft.rule,
        note=draft.note,
        actor=auth.actor_of(request),
        check=lambda version: etags.require_match(request, version),
        now=clock.now(),
    )
    response["ETag"] = etags.etag_of(row.version)
    return rules_out(row)


def _staff(request: HttpRequest) -> None:
    auth.check_role(auth.user_of(request), Role.MANAGER, Role.TECHNICIAN)
