"""An editor's check: every fault of a document with its path, in both languages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.domain.rulebook import KINDS, Known, Unreadable, check, compile_book
from tests.booking.rulings import EVERYTHING, document, rule


def paths(draft: Any, known: Known | None = None) -> list[str]:
    return [fault.path for fault in check(draft, known=known)]


def test_a_document_with_every_kind_has_no_faults() -> None:
    assert paths(EVERYTHING) == []
    assert {row["kind"] for row in EVERYTHING["rules"]} == KINDS.keys()


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (None, "$"),
        ([], "$"),
        ({}, "$.rules"),
        ({"rules": []}, "$.rules"),
        (document(rule("units")) | {"extra": 1}, "$.extra"),
        (document(rule("units"), week="XX"), "$.week_starts_on"),
        (document("units"), "$.rules[0]"),  # type: ignore[arg-type]
        (document(rule("nothing")), "$.rules[0].kind"),
        (document({**rule("units"), "kind": ["units"]}), "$.rules[0].kind"),
        (document({**rule("units"), "code": "two words"}), "$.rules[0].code[0]"),
        (document({**rule("units"), "code": None}), "$.rules[0].code[0]"),
        (document({**rule("units"), "colour": 1}), "$.rules[0].colour"),
        (document({**rule("units"), "scope": []}), "$.rules[0].scope"),
        (document({**rule("units"), "params": 3}), "$.rules[0].params"),
        (document({**rule("units"), "note_zh": "长" * 241}), "$.rules[0].note_zh"),
        (document(rule("units", scope={"rooms": ["S1"]})), "$.rules[0].scope.rooms"),
        (document(rule("units", scope={"spaces": "S1"})), "$.rules[0].scope.spaces"),
        (document(rule("units", scope={"spaces": ["S1", "S1"]})), "$.rules[0].scope.spaces[1]"),
        (document(rule("units", scope={"ratings": ["A", "E"]})), "$.rules[0].scope.ratings[1]"),
        (document(rule("units", weight=1.5)), "$.rules[0].weight"),  # type: ignore[arg-type]
        (document(rule("units", weight=True)), "$.rules[0].weight"),
        (document(rule("step", by=["tenant_admin"], minutes=30)), "$.rules[0].overridable_by[0]"),
        (document(rule("units", by=["manager"])), "$.rules[0].overridable_by"),
        (document(rule("step", minutes=7)), "$.rules[0].params.minutes"),
        (document(rule("step", minutes=0)), "$.rules[0].params.minutes"),
        (document(rule("step", minutes=None)), "$.rules[0].params.minutes"),
        (document(rule("step")), "$.rules[0].params.minutes"),
        (document(rule("step", minutes=30, hours=1)), "$.rules[0].params.hours"),
        (document(rule("max_length", minutes="own")), "$.rules[0].params.minutes"),
        (document(rule("max_length", minutes=-1)), "$.rules[0].params.minutes"),
        (document(rule("max_length", minutes=10**30)), "$.rules[0].params.minutes"),
        (document(rule("horizon", days=3, count="weeks")), "$.rules[0].params.count"),
        (document(rule("opening_hours", week={})), "$.rules[0].params.week"),
        (document(rule("opening_hours", week={"XX": []})), "$.rules[0].params.week.XX"),
        (
            document(rule("opening_hours", week={"MO": [["09:00", "25:60"]]})),
            "$.rules[0].params.week.MO[0]",
        ),
        (
            document(rule("opening_hours", week={"MO": [["10:00", "12:00"], ["11:00", "13:00"]]})),
            "$.rules[0].params.week.MO[1]",
        ),
        (
            document(rule("opening_hours", week={"MO": [["12:00", "10:00"]]})),
            "$.rules[0].params.week.MO[0]",
        ),
        (
            document(
                rule("opening_hours", week={"MO": [["09:00", "12:00"]]}, dates={"2027-02-30": []})
            ),
            "$.rules[0].params.dates.2027-02-30",
        ),
        (
            document(rule("hours_quota", period="day", minutes=9, between=["08:00", "08:00"])),
            "$.rules[0].params.between",
        ),
        (document(rule("hours_quota", minutes=9)), "$.rules[0].params.period"),
        (document(rule("approval", by=["manager"])), "$.rules[0].overridable_by"),
        (document(rule("units", replaces=["ghost"])), "$.rules[0].replaces[0]"),
        (
            document(rule("units", code="a"), rule("bookable", replaces=["a"])),
            "$.rules[1].replaces[0]",
        ),
    ],
)
def test_each_fault_is_found_where_it_is(draft: Any, path: str) -> None:
    assert paths(draft) == [path]


def test_all_faults_are_listed_at_once_in_both_languages() -> None:
    found = check(
        document(rule("step", minutes=7), rule("nothing"), rule("min_length", minutes=-1))
    )

    assert [f.path for f in found] == [
        "$.rules[0].params.minutes", "$.rules[1].kind", "$.rules[2].params.minutes",
    ]  # fmt: skip
    assert all(f.reason_zh and f.reason_en and f.reason_zh != f.reason_en for f in found)


def test_a_code_appears_once() -> None:
    assert paths(document(rule("units", code="a"), rule("bookable", code="a"))) == [
        "$.rules[1].code"
    ]


def test_codes_that_do_not_exist_are_named_when_the_base_is_known() -> None:
    draft = document(rule("units", scope={"spaces": ["S1", "S9"], "tenant_tags": ["any"]}))

    assert paths(draft, Known({"spaces": {"S1"}})) == ["$.rules[0].scope.spaces[1]"]
    assert paths(draft) == []


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ([rule("min_length", minutes=120), rule("max_length", minutes=60)], "$.rules[0]"),
        ([rule("max_length", minutes=15), rule("step", minutes=30)], "$.rules[1]"),
        ([rule("horizon", days=1), rule("min_notice", minutes=1441)], "$.rules[1]"),
        (
            [
                rule("opening_hours", week={"MO": [["09:00", "12:00"]]}),
                rule("min_length", minutes=240),
            ],
            "$.rules[1]",
        ),
        (
            [
                rule("min_length", scope={"spaces": ["S1"]}, minutes=240),
                rule("min_length", minutes=30),
                rule("max_length", minutes=120),
            ],
            "$.rules[0]",
        ),
    ],
)
def test_limits_that_leave_nothing_contradict_each_other(rules: Any, path: str) -> None:
    assert paths(document(*rules)) == [f"{path}.params.minutes"]


@pytest.mark.parametrize(
    "rules",
    [
        [rule("min_length", minutes=60), rule("max_length", minutes=60)],
        # The long minimum is only for a space that has a longer maximum of its own.
        [
            rule("max_length", minutes=120),
            rule("max_length", scope={"spaces": ["S1"]}, minutes=480),
            rule("min_length", scope={"spaces": ["S1"]}, minutes=240),
        ],
        # They never meet: one is for brands, one for anchors.
        [
            rule("max_length", scope={"tenant_categories": ["brand"]}, minutes=60),
            rule("min_length", scope={"tenant_categories": ["anchor"]}, minutes=240),
        ],
        [rule("min_length", minutes=240), rule("max_length", minutes=None)],
        # Night after night without a gap: a stretch of any length.
        [
            rule("opening_hours", week={d: [["00:00", "24:00"]] for d in ("MO", "TU", "WE")}),
            rule("min_length", minutes=60 * 60),
        ],
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(rules: Any) -> None:
    assert paths(document(*rules)) == []


def test_two_equal_claims_are_a_fault_but_quotas_add_up() -> None:
    twins = document(
        rule("max_length", code="a", scope={"spaces": ["S1"]}, minutes=60),
        rule("max_length", code="b", scope={"spaces": ["S1"]}, minutes=90),
    )
    quotas = document(
        rule("hours_quota", period="day", minutes=60),
        rule("hours_quota", period="week", minutes=60),
    )

    assert paths(twins) == ["$.rules[1].scope"]
    assert paths(quotas) == []


def test_a_faulty_document_becomes_no_book() -> None:
    with pytest.raises(Unreadable) as caught:
        compile_book(document(rule("step", minutes=7)))
    assert [f.path for f in caught.value.faults] == ["$.rules[0].params.minutes"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(
    ["code", "kind", "scope", "params", "overridable_by", "weight", "replaces", "note_zh"]
)


@given(st.data())
def test_any_json_is_read_or_faulted_and_never_breaks_the_reader(data: st.DataObject) -> None:
    row: dict[str, Any] = {**data.draw(st.sampled_from(EVERYTHING["rules"]))}
    changed = data.draw(keys)
    if changed == "params" and row["params"]:
        name = data.draw(st.sampled_from(sorted(row["params"])))
        row["params"] = row["params"] | {name: data.draw(json)}
    else:
        row[changed] = data.draw(json)

    faults = check(document(row))

    if not faults:
        compile_book(document(row))
    assert all(f.path.startswith("$") and f.reason_zh and f.reason_en for f in faults)


@given(json)
def test_any_json_at_all_is_answered(anything: Any) -> None:
    assert check(anything)
