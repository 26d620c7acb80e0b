"""A template of a discovery message, compiled once, that reads a payload or writes a command."""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from jinja2.exceptions import TemplateError

from devices.domain.conventions.homeassistant import extras, sandbox, vocabulary
from devices.domain.conventions.plain import is_clean

_BRACES = re.compile(r"\{[{%#]")
# By far the most common: one value of a JSON object. These names are also methods of it.
_PATH = re.compile(
    r"""\{\{\s*value_json((?:\.[A-Za-z_]\w*|\["[^"\\{}]+"\]|\['[^'\\{}]+'\])+)\s*\}\}""", re.ASCII
)
_STEP = re.compile(r"""\.([A-Za-z_]\w*)|\["([^"]+)"\]|\['([^']+)'\]""", re.ASCII)
_SHADOWED = frozenset(dir(dict))
_ERRORS = (
    TemplateError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    AssertionError,
    OSError,
    struct.error,
    re.error,
)
_ABSENT: Any = object()
_json = msgspec.json.Decoder().decode  # no NaN, no number beyond a float, no half characters


class BadTemplate(Exception):
    """A template that cannot be compiled, or failed; the message says why."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What arrived, as a template sees it: bytes where no encoding applies."""

    value: str | bytes
    parsed: Any = _ABSENT

    @classmethod
    def of(cls, value: str | bytes) -> "Payload":
        """With its JSON, where it is some."""
        try:
            return cls(value, _json(value))
        except (ValueError, RecursionError):
            return cls(value)

    @property
    def is_json(self) -> bool:
        """Whether it is JSON."""
        return self.parsed is not _ABSENT


class Template:
    """One compiled template."""

    __slots__ = ("_compiled", "_path", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._path = _simple_path(source)
        try:
            self._compiled = None if not _BRACES.search(source) else _ENVIRONMENT.compiled(source)
        except _ERRORS as exc:
            raise BadTemplate(str(exc)[:200]) from exc

    def reads(
        self, payload: Payload, *, now_ms: int, this: Mapping[str, Any] | None = None
    ) -> str:
        """What it makes of a payload; empty when that lacks the value.

        Raises:
            BadTemplate: it failed, wanted too much, or printed a value that is not there.
        """
        if self._path is not None and type(payload.parsed) is dict:
            found = _follow(payload.parsed, self._path)
            if found is not _ABSENT:
                return str(found)
        names: dict[str, Any] = {"value": payload.value, "this": this or {}}
        if payload.is_json:
            names["value_json"] = payload.parsed
        text, missing = self._render(names, now_ms)
        if missing and not text.strip():
            raise BadTemplate(missing)
        return text

    def writes(self, names: Mapping[str, Any], *, now_ms: int) -> str:
        """The payload of a command.

        Raises:
            BadTemplate: it failed or wanted too much.
        """
        text = self._render(dict(names), now_ms)[0]
        if not is_clean(text):
            raise BadTemplate("it writes what is no text")
        return text

    def _render(self, names: dict[str, Any], now_ms: int) -> tuple[str, str]:
        if self._compiled is None:
            return self.source, ""
        try:
            with sandbox.budget() as spent:
                text = self._printed({**names, **extras.clocks(now_ms)})
                return text, spent.missing
        except _ERRORS as exc:
            raise BadTemplate(str(exc)[:200] or type(exc).__name__) from exc

    def _printed(self, names: dict[str, Any]) -> str:
        if self._compiled is None:
            return self.source
        parts, length = [], 0
        for part in self._compiled.generate(names):
            length += len(part)
            if length > sandbox.MAX_TEXT:
                raise sandbox.TooMuch("the template prints too much")
            parts.append(part)
        return "".join(parts).strip()


def _simple_path(source: str) -> tuple[str, ...] | None:
    match = _PATH.fullmatch(source.strip())
    if match is None:
        return None
    dotted = [(bool(s[1]), s[1] or s[2] or s[3]) for s in _STEP.finditer(match[1])]
    if any(by_dot and name in _SHADOWED for by_dot, name in dotted):
        return None
    return tuple(name for _, name in dotted)


def _follow(value: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of objects, where it is a plain one. Raises BadTemplate: it lacks it."""
    for name in path:
        if type(value) is not dict:
            return _ABSENT
        if name not in value:
            raise BadTemplate(f"the payload has no {name!r}")
        value = value[name]
    return value if type(value) in _PLAIN else _ABSENT


_PLAIN = frozenset({str, int, float, bool, type(None)})
_ENVIRONMENT = sandbox.Sandbox(vocabulary.FILTERS, vocabulary.TESTS, vocabulary.GLOBALS)


@lru_cache(maxsize=1024)
def compiled(source: str) -> Template:
    """The template of this source; the many devices of one maker share theirs.

    Raises:
        BadTemplate: it is none, or uses what it may not.
    """
    return Template(source)
