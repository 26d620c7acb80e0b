"""The words of all notices: data files with both languages, checked strictly, rendered to text.

A template names its parameters and the kind of each. A text uses each parameter by `{name}` and
nothing else; what is told must give exactly the parameters that are named.
"""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from base_ops.core.notifications.cleaning import clean
from base_ops.core.notifications.quiet import BASE_ZONE

Language = Literal["zh", "en"]
KINDS = frozenset({"text", "code", "names", "instant", "fen", "int"})
_KEY = re.compile(r"[a-z]+(\.[a-z_]+)+")
_CODE = re.compile(r"[A-Za-z0-9._:/-]{1,64}")
_FIELDS = {"urgent", "email", "useful_min", "link", "params", "zh", "en"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class BadTemplate(ValueError):
    """A data file that does not say what it must; names the template."""


class BadParams(ValueError):
    """Somebody tells a notice with other parameters than its template names."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message in one language: plain text, its parameters cleaned."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of notice. `useful_min`: after so many minutes it is not worth sending."""

    key: str
    urgent: bool
    email: bool
    useful_min: int | None
    link: str
    params: Mapping[str, str]
    words: Mapping[str, Text]


_known: dict[str, Template] = {}


def register(path: Path) -> None:
    """Let the templates of a file be told; again with the same file is harmless."""
    _known.update(load(path.read_text(encoding="utf-8")))


def known() -> Mapping[str, Template]:
    """All templates by key."""
    return _known


def load(text: str) -> dict[str, Template]:
    """The templates of a file's text.

    Raises:
        BadTemplate: one that is incomplete, uses unknown parameters, or not all of its own.
    """
    return {key: _template(key, entry) for key, entry in tomllib.loads(text).items()}


def _template(key: str, entry: dict[str, Any]) -> Template:
    if not _KEY.fullmatch(key) or entry.keys() - _FIELDS or not {"zh", "en"} <= entry.keys():
        raise BadTemplate(f"{key}: its name, or its fields {sorted(entry)}")
    params: dict[str, str] = entry.get("params", {})
    if not set(params.values()) <= KINDS:
        raise BadTemplate(f"{key}: kinds of parameters {sorted(set(params.values()) - KINDS)}")
    linked = _used(key, entry.get("link", ""))
    words = {name: _words(key, entry[name], params, linked) for name in ("zh", "en")}
    return Template(
        key,
        bool(entry.get("urgent", False)),
        bool(entry.get("email", True)),
        entry.get("useful_min"),
        entry.get("link", ""),
        params,
        words,
    )


def _words(key: str, entry: dict[str, str], params: dict[str, str], linked: set[str]) -> Text:
    """The text of one language: of every parameter, here or in the link, and of no other."""
    words = Text(entry["title"], entry["body"].strip())
    used = _used(key, words.title) | _used(key, words.body)
    if wrong := (used | linked) ^ params.keys():
        raise BadTemplate(f"{key}: {sorted(wrong)} unknown, or named and not used")
    return words


def _used(key: str, text: str) -> set[str]:
    """The parameters of a text."""
    names = set()
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise BadTemplate(f"{key}: only {{name}} is a parameter, not {name!r}")
        names.add(name)
    return names


def packed(template: Template, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as JSON values for a row.

    Raises:
        BadParams: one is missing, unknown, or of another kind than named.
    """
    if params.keys() != template.params.keys():
        raise BadParams(
            f"{template.key}: missing {sorted(template.params.keys() - params.keys())},"
            f" unknown {sorted(params.keys() - template.params.keys())}"
        )
    return {name: _pack(template, name, value) for name, value in params.items()}


def _pack(template: Template, name: str, value: object) -> Any:
    match template.params[name], value:
        case "text", str():
            return clean(value)
        case "code", str() if _CODE.fullmatch(value):
            return value
        case "names", {"zh": str(zh), "en": str(en)}:
            return {"zh": clean(zh), "en": clean(en)}
        case "instant", datetime() if value.tzinfo is not None:
            return value.isoformat()
        case (("fen" | "int"), int()) if not isinstance(value, bool):
            return value
        case kind, _:
            raise BadParams(f"{template.key}.{name}: {kind} is not {type(value).__name__}")


def rendered(template: Template, params: Mapping[str, Any], language: Language) -> Text:
    """The message in one language, from packed parameters."""
    shown = {
        name: _shown(template.params[name], value, language) for name, value in params.items()
    }
    words = template.words[language]
    return Text(words.title.format_map(shown), words.body.format_map(shown))


def link_of(template: Template, params: Mapping[str, Any]) -> str:
    """The page of the web app that shows more; "" when there is none."""
    return template.link.format_map(params)


def _shown(kind: str, value: Any, language: Language) -> str:
    match kind:
        case "names":
            return clean(value[language] or value["zh"])
        case "instant":
            return _instant(datetime.fromisoformat(value), language)
        case "fen":
            return f"{'¥' if language == 'zh' else 'CNY '}{Decimal(value) / 100:,.2f}"
        case _:
            return clean(str(value))


def _instant(at: datetime, language: Language) -> str:
    """Minutes on the base's clock."""
    local = at.astimezone(BASE_ZONE)
    if language == "zh":
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"
