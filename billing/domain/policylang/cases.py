"""A case out of JSON: declared figures, proven costs, related parties, papers, identity."""

from collections.abc import Mapping
from typing import Any, Final

from billing.domain.policylang import source, vocabulary
from billing.domain.policylang.rules import CAPS, Rule
from billing.domain.policylang.source import Notes
from billing.domain.policylang.vocabulary import Case, Earlier, Spent

_KEYS: Final = (
    *("facts", "spent", "related", "evidence", "identity", "history", "used", "budget_left"),
    "approved",
)
MOST_RELATED: Final = 100
MOST_SPENT: Final = 400


def read(document: object, rule: Rule) -> Case:
    """The case, in the facts that the rule declares. Amounts are in yuan.

    Raises:
        Refused: a fact is not declared, or has another type; every fault with its path.
    """
    source.measure(document)
    notes = Notes()
    data = source.mapping(document, "case", notes)
    source.known(data, _KEYS, "", notes)
    related = source.listing(data.get("related", []), "related", notes, least=0, most=MOST_RELATED)
    left = data.get("budget_left")
    case = Case(
        facts=vocabulary.facts(data.get("facts", {}), rule.types, "facts", notes),
        spent=_spent(data.get("spent", []), notes),
        related=[
            vocabulary.facts(row, rule.types, f"related[{i}]", notes)
            for i, row in enumerate(related)
        ],
        evidence=frozenset(
            source.codes(data["evidence"], "evidence", notes) if data.get("evidence") else ()
        ),
        identity=_texts(data.get("identity", {}), "identity", notes),
        history=_history(data.get("history", []), notes),
        used_fen=_used(data.get("used", {}), notes),
        budget_left_fen=None if left is None else _fen(left, "budget_left", notes),
        approved=source.flag(data.get("approved", False), "approved", notes),
    )
    notes.check()
    return case


def _fen(value: object, path: str, notes: Notes) -> int:
    found = source.fen(value, path, notes)
    if found.denominator != 1:
        notes.fault(path, "不得细于一分", "must not be finer than one fen")
    return int(found)


def _spent(data: object, notes: Notes) -> tuple[Spent, ...]:
    found: list[Spent] = []
    for i, row in enumerate(source.listing(data, "spent", notes, least=0, most=MOST_SPENT)):
        path = f"spent[{i}]"
        entry = source.mapping(row, path, notes)
        source.known(entry, ("kind", "on", "yuan"), path, notes)
        kind = source.code(entry.get("kind"), f"{path}.kind", notes)
        on = source.day(entry.get("on"), f"{path}.on", notes)
        found.append(Spent(kind, on, _fen(entry.get("yuan"), f"{path}.yuan", notes)))
    return tuple(found)


def _texts(data: object, path: str, notes: Notes) -> dict[str, str]:
    rows = source.mapping(data, path, notes)
    return {key: source.text(value, f"{path}.{key}", notes) for key, value in rows.items()}


def _history(data: object, notes: Notes) -> tuple[Earlier, ...]:
    found: list[Earlier] = []
    for i, row in enumerate(source.listing(data, "history", notes, least=0, most=100)):
        path = f"history[{i}]"
        entry: Mapping[str, Any] = source.mapping(row, path, notes)
        source.known(entry, ("key", "value", "started_on", "tenant", "granted"), path, notes)
        found.append(
            Earlier(
                source.code(entry.get("key"), f"{path}.key", notes),
                source.text(entry.get("value"), f"{path}.value", notes),
                source.day(entry.get("started_on"), f"{path}.started_on", notes),
                str(entry.get("tenant", "")),
                _fen(entry.get("granted", 0), f"{path}.granted", notes),
            )
        )
    return tuple(found)


def _used(data: object, notes: Notes) -> dict[str, int]:
    rows = source.mapping(data, "used", notes)
    source.known(rows, CAPS, "used", notes)
    return {str(per): _fen(amount, f"used.{per}", notes) for per, amount in rows.items()}
