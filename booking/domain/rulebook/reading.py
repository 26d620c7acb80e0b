"""Reading a document of rules: all of its faults with their paths, or the rules."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from booking.domain.rulebook import params as p
from booking.domain.rulebook.kinds import KINDS, RATINGS, WAIVERS, Kind
from booking.domain.rulebook.params import Unfit
from booking.domain.rulebook.scope import DIMENSIONS, Scope

MOST_RULES = 500
KEYS = frozenset({"week_starts_on", "rules"})
RULE_KEYS = frozenset(
    {
        "code", "kind", "scope", "params", "overridable_by", "weight", "replaces",
        "note_zh", "note_en",
    }
)  # fmt: skip
_NOTE_MAX = 240


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document, and where."""

    path: str
    reason_zh: str
    reason_en: str

    def as_json(self) -> dict[str, str]:
        """For answers."""
        return {"path": self.path, "reason_zh": self.reason_zh, "reason_en": self.reason_en}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, understood: `params` hold read values, with defaults filled in."""

    code: str
    kind: str
    scope: Scope
    params: Mapping[str, Any]
    overridable_by: tuple[str, ...] = ()
    weight: int = 0
    replaces: tuple[str, ...] = ()
    note_zh: str = ""
    note_en: str = ""
    position: int = field(default=0, compare=False)

    @property
    def order(self) -> tuple[int, int, int]:
        """The greatest wins: weight, then how specific, then whoever comes first."""
        return self.weight, self.scope.rank, -self.position


@dataclass(frozen=True, slots=True)
class Known:
    """The codes that exist, for a check against the base; None: not checked."""

    codes: Mapping[str, Collection[str]] = field(default_factory=dict)

    def knows(self, dimension: str, code: str) -> bool:
        """Whether there is such a thing."""
        return dimension not in self.codes or code in self.codes[dimension]


@dataclass(slots=True)
class Reading:
    """What was understood of a document, and every fault found on the way."""

    rules: list[Rule] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    week_starts_on: str = "MO"

    def fault(self, path: str, zh: str, en: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(path, zh, en))

    def value(self, path: str, read: p.Reader, raw: Any, default: Any) -> Any:
        """The value as read; the default and a fault when it cannot be used."""
        try:
            return read(raw)
        except Unfit as exc:
            self.fault(path + exc.path, exc.zh, exc.en)
            return default


def read(document: Any, *, known: Known | None = None) -> Reading:
    """Read a document. Whatever it is, the faults say all that is wrong with its shape."""
    reading = Reading()
    if not isinstance(document, dict):
        reading.fault("$", "须为 JSON 对象", "A JSON object is expected")
        return reading
    _unknown_keys(reading, "$", document, KEYS)
    reading.week_starts_on = reading.value(
        "$.week_starts_on", p.choice(*p.WEEKDAYS), document.get("week_starts_on", "MO"), "MO"
    )
    rows = document.get("rules")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_RULES:
        reading.fault(
            "$.rules", f"须为 1 至 {MOST_RULES} 条规则的列表", f"A list of 1..{MOST_RULES} rules"
        )
        return reading
    for index, row in enumerate(rows):
        _rule(reading, f"$.rules[{index}]", row, index, known or Known())
    _doubles(reading)
    return reading


def _rule(reading: Reading, path: str, row: Any, index: int, known: Known) -> None:
    if not isinstance(row, dict):
        reading.fault(path, "须为 JSON 对象", "A JSON object is expected")
        return
    before = len(reading.faults)
    _unknown_keys(reading, path, row, RULE_KEYS)
    code = reading.value(f"{path}.code", _code, row.get("code"), "")
    kind = KINDS.get(row["kind"]) if isinstance(row.get("kind"), str) else None
    if kind is None:
        names = ", ".join(KINDS)
        reading.fault(f"{path}.kind", f"未知的规则种类;可用:{names}", f"Unknown kind; {names}")
    scope = _scope(reading, f"{path}.scope", row.get("scope", {}), known)
    params = _params(reading, f"{path}.params", row.get("params", {}), kind)
    waivers = reading.value(
        f"{path}.overridable_by", p.words(WAIVERS), row.get("overridable_by", []), ()
    )
    if kind and waivers and not kind.waivable:
        reading.fault(
            f"{path}.overridable_by", f"「{kind.zh}」不可放行", f"{kind.en}: never overridable"
        )
    weight = reading.value(f"{path}.weight", p.whole(-1000, 1000), row.get("weight", 0), 0)
    replaces = reading.value(f"{path}.replaces", p.words(), row.get("replaces", []), ())
    zh, en = (
        reading.value(f"{path}.{name}", _note, row.get(name, ""), "")
        for name in ("note_zh", "note_en")
    )
    if kind and len(reading.faults) == before:
        reading.rules.append(
            Rule(code, kind.code, scope, params, waivers, weight, replaces, zh, en, index)
        )


def _code(value: Any) -> str:
    found: str = p.words(least=1)([value])[0]
    return found


def _note(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _NOTE_MAX:
        raise Unfit(f"须为至多 {_NOTE_MAX} 字的文本", f"Text of at most {_NOTE_MAX} characters")
    return value


def _scope(reading: Reading, path: str, raw: Any, known: Known) -> Scope:
    if not isinstance(raw, dict):
        reading.fault(path, "须为 JSON 对象", "A JSON object is expected")
        return Scope()
    _unknown_keys(reading, path, raw, DIMENSIONS)
    found: dict[str, frozenset[str]] = {}
    for name in DIMENSIONS:
        reader = p.words(RATINGS if name == "ratings" else None)
        codes = reading.value(f"{path}.{name}", reader, raw.get(name, []), ())
        for index, code in enumerate(codes):
            if not known.knows(name, code):
                reading.fault(f"{path}.{name}[{index}]", f"没有 {code}", f"There is no {code}")
        found[name] = frozenset(codes)
    return Scope(**found)


def _params(reading: Reading, path: str, raw: Any, kind: Kind | None) -> dict[str, Any]:
    if not isinstance(raw, dict):
        reading.fault(path, "须为 JSON 对象", "A JSON object is expected")
        return {}
    if kind is None:
        return {}
    _unknown_keys(reading, path, raw, {param.name for param in kind.params})
    found: dict[str, Any] = {}
    for param in kind.params:
        if param.name in raw:
            found[param.name] = reading.value(
                f"{path}.{param.name}", param.read, raw[param.name], None
            )
        elif param.default is ...:
            reading.fault(f"{path}.{param.name}", "缺少", "Missing")
        else:
            found[param.name] = param.default
    return found


def _unknown_keys(
    reading: Reading, path: str, row: Mapping[str, Any], known: Collection[str]
) -> None:
    for key in row:
        if key not in known:
            reading.fault(f"{path}.{key}", "未知的字段", "Unknown field")


def _doubles(reading: Reading) -> None:
    """Codes are unique; what is replaced exists and is of the same kind."""
    first: dict[str, Rule] = {}
    for rule in reading.rules:
        if rule.code in first:
            reading.fault(f"$.rules[{rule.position}].code", "代码重复", "The code appears twice")
        first.setdefault(rule.code, rule)
    for rule in reading.rules:
        for fault in _bad_replacements(rule, first):
            reading.fault(*fault)


def _bad_replacements(rule: Rule, known: Mapping[str, Rule]) -> Iterator[tuple[str, str, str]]:
    for index, code in enumerate(rule.replaces):
        other = known.get(code)
        if other is None or other.kind != rule.kind or other is rule:
            path = f"$.rules[{rule.position}].replaces[{index}]"
            yield path, "须为另一条同类规则", "Another rule of the same kind is expected"
