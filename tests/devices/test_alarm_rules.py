"""Alarm rules are data: faults are named by path, measurements judged by limits and time."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.domain import alarmrules
from devices.domain.alarmrules import Kind, Pending, Subject, Verdict, judging, standard
from devices.domain.alarmrules import book as books
from devices.domain.alarmrules.rules import Rule
from devices.domain.alarms import Severity

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def rule(kind: str = "threshold", **params: Any) -> Rule:
    return Rule("hot", Kind(kind), Severity.WARNING, "热", "hot", params=params)


HOT = rule(metric="t", side="above", limit=90, clear=75, for_s=10)


def told(rule: Rule, *samples: tuple[int, float]) -> list[str]:
    state: Pending | None = None
    found = []
    for second, value in samples:
        state, verdict = alarmrules.judge(rule, state, value, NOON + second * SECOND)
        found.append(str(verdict))
    return found


def test_the_standard_rules_have_no_faults() -> None:
    assert alarmrules.read(standard.document()).faults == []


def test_what_is_beyond_a_limit_is_raised_after_its_time_and_cleared_at_the_other_limit() -> None:
    samples = (0, 95), (5, 92), (9, 96), (10, 91), (20, 80), (30, 76), (40, 75), (50, 80)

    assert told(HOT, *samples) == [
        "keep", "keep", "keep", "raise", "keep", "keep", "clear", "keep",
    ]  # fmt: skip


def test_what_comes_back_in_time_is_never_raised_and_waits_anew() -> None:
    assert told(HOT, (0, 95), (9, 70), (12, 95), (21, 95), (22, 95)) == [
        "keep", "keep", "keep", "keep", "raise",
    ]  # fmt: skip


def test_a_measurement_that_comes_late_is_passed_over() -> None:
    state = Pending(NOON, NOON + 30 * SECOND, raised=True)

    assert alarmrules.judge(HOT, state, 20.0, NOON + 10 * SECOND) == (state, Verdict.KEEP)


def test_a_floor_is_crossed_downwards() -> None:
    low = rule(metric="b", side="below", limit=15, clear=25)

    assert told(low, (0, 16), (1, 15), (2, 24), (3, 25)) == ["keep", "raise", "keep", "clear"]


@unhurried
@given(st.lists(st.floats(60, 110, allow_nan=False), max_size=60))
def test_alarms_begin_and_end_in_turn_whatever_is_measured(values: list[float]) -> None:
    verdicts = [v for v in told(HOT, *enumerate(values)) if v != "keep"]

    assert verdicts == ["raise", "clear"] * (len(verdicts) // 2) + ["raise"] * (len(verdicts) % 2)


def test_a_rate_needs_half_its_window_and_knows_its_direction() -> None:
    fast = rule("rate", metric="t", direction="rise", per_min=2, window_s=120)
    minute = timedelta(minutes=1)

    assert judging.is_too_fast(fast, 30, 30 * SECOND) is None
    assert judging.is_too_fast(fast, 2.1, minute) is True
    assert judging.is_too_fast(fast, 1.9, minute) is False
    assert judging.is_too_fast(fast, -9, minute) is False


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("code", "Not a code", "rules[0].code"),
        ("kind", "magic", "rules[0].kind"),
        ("severity", "loud", "rules[0].severity"),
        ("title_zh", "", "rules[0].title_zh"),
        ("enabled", "yes", "rules[0].enabled"),
        ("wat", 1, "rules[0].wat"),
        ("scope", {"kinds": "light"}, "rules[0].scope.kinds"),
        ("scope", {"colour": []}, "rules[0].scope.colour"),
        ("scope", {"models": ["NOPE"]}, "rules[0].scope.models"),
        ("notify", ["tenant_admin"], "rules[0].notify"),
        ("escalate", [{"after_min": 0, "to": ["manager"]}], "rules[0].escalate[0].after_min"),
        ("escalate", [{"after_min": 5, "to": []}], "rules[0].escalate[0].to"),
        (
            "escalate",
            [{"after_min": 9, "to": ["manager"]}, {"after_min": 5, "to": ["admin"]}],
            "rules[0].escalate",
        ),
        ("flapping", {"times": 1, "within_min": 5}, "rules[0].flapping.times"),
        ("params.limit", float("nan"), "rules[0].params.limit"),
        ("params.limit", True, "rules[0].params.limit"),
        ("params.clear", 200, "rules[0].params.clear"),
        ("params.metric", None, "rules[0].params.metric"),
        ("params.side", "left", "rules[0].params.side"),
        ("code", "not_ready", "rules[0].code"),
        ("code", "device_offline", "rules[0].code"),
    ],
)
def test_each_fault_is_named_by_its_path(path: str, value: object, where: str) -> None:
    hot = next(r for r in standard.document()["rules"] if r["code"] == "head_hot")
    draft = copy.deepcopy(hot)
    target = draft
    *parents, name = path.split(".")
    for parent in parents:
        target = target[parent]
    target[name] = value

    found = alarmrules.read({"rules": [draft]}, known=alarmrules.Known({"models": {"LT"}}))

    assert [f.path for f in found.faults] == [where]
    assert all(f.reason_zh and f.reason_en for f in found.faults)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@unhurried
@given(st.data())
def test_whatever_a_document_holds_it_is_read_or_its_faults_are_named(data: st.DataObject) -> None:
    draft = standard.document()
    row = data.draw(st.sampled_from(draft["rules"]))
    part = data.draw(st.sampled_from([row, row["params"], row["scope"]]))
    part[data.draw(st.sampled_from([*part, "x"]))] = data.draw(json_values)

    reading = alarmrules.read(draft)

    if not reading.faults:
        assert len(reading.rules) == len(draft["rules"])


def test_the_first_rule_that_fits_is_a_devices_rule() -> None:
    book = books.compiled(standard.document(), 1)

    def subject(kind: str) -> Subject:
        return Subject("D", kind, "M", "r", "S", "studio")

    encoder, light = (book.first(Kind.OFFLINE, subject(k)) for k in ("encoder", "light"))

    assert encoder is not None
    assert light is not None
    assert (encoder.severity, light.severity) == ("critical", "warning")
    assert list(book.by_metric(subject("light"))) == ["head_temp_c", "battery_pct", "lamp_hours"]
    assert list(book.by_metric(subject("power_meter"))) == ["power_w", "battery_pct"]
