"""Reads the fields of a discovery document; whatever is wrong is named by its path."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from devices.domain.conventions.homeassistant import templates
from devices.domain.conventions.plain import is_clean
from devices.domain.conventions.refusal import BadDiscovery

MAX_TOPIC = 512
MAX_TEXT = 1_024
MAX_WORDS = 512
_OURS = ("wb1/", "$")  # nobody may have us write to our own devices
_DISCOVERY = re.compile(r"homeassistant/.+/config")
_TRUE = frozenset({"1", "true", "yes", "on", "enable"})
_FALSE = frozenset({"0", "false", "no", "off", "disable"})


class Fields:
    """One object of a discovery document, with its short keys already written out."""

    def __init__(self, config: Mapping[str, Any], path: str = "") -> None:
        self._config = config
        self._path = path

    def refuse(self, key: str, why: str) -> BadDiscovery:
        """The refusal of one field, to be raised."""
        return BadDiscovery(f"{self._path}.{key}" if self._path else key, why)

    @property
    def keys(self) -> Mapping[str, Any]:
        """The fields that are there, be they null."""
        return self._config

    def has(self, key: str) -> bool:
        """Whether the field says something."""
        return self._config.get(key) is not None

    def raw(self, key: str) -> Any:
        """As it is; None where it is missing."""
        return self._config.get(key)

    def text(self, key: str, default: str = "", *, longest: int = MAX_TEXT) -> str:
        """A text; numbers and truth values are read as such."""
        value = self._config.get(key)
        if value is None:
            return default
        if not isinstance(value, str | int | float):
            raise self.refuse(key, "must be a text")
        text = str(value)
        if len(text) > longest or not is_clean(text):
            raise self.refuse(key, f"must be at most {longest} characters without NUL")
        return text

    def needed(self, key: str) -> str:
        """A text that must be there."""
        if not self.has(key):
            raise self.refuse(key, "is required")
        return self.text(key)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false, or a word for it."""
        value = self._config.get(key)
        if value is None:
            return default
        word = str(value).lower()
        if isinstance(value, dict | list) or word not in _TRUE | _FALSE:
            raise self.refuse(key, "must be true or false")
        return word in _TRUE

    def number(self, key: str, default: float, *, low: float = -1e12, high: float = 1e12) -> float:
        """A finite number, or the text of one."""
        value = self._config.get(key)
        if value is None:
            return default
        try:
            found = float("x" if isinstance(value, bool | dict | list) else value)
        except (ValueError, TypeError, OverflowError):
            raise self.refuse(key, "must be a number") from None
        if not math.isfinite(found) or not low <= found <= high:
            raise self.refuse(key, f"must be between {low:g} and {high:g}")
        return found

    def qos(self) -> Literal[0, 1, 2]:
        """The quality of service of commands."""
        match self.number("qos", 0):
            case 0:
                return 0
            case 1:
                return 1
            case 2:
                return 2
            case _:
                raise self.refuse("qos", "must be 0, 1 or 2")

    def choice(self, key: str, of: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value not in of and value != default:
            raise self.refuse(key, f"must be one of {', '.join(of)}")
        return value

    def words(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts; a single one counts as a list."""
        value = self._config.get(key)
        if value is None:
            return tuple(default)
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_WORDS:
            raise self.refuse(key, f"has more than {MAX_WORDS} items")
        for item in items:
            if not isinstance(item, str | int | float) or len(str(item)) > MAX_TEXT:
                raise self.refuse(key, "must be a list of texts")
            if not is_clean(str(item)):
                raise self.refuse(key, "must not contain NUL")
        return tuple(map(str, items))

    def listens(self, key: str) -> str:
        """A filter to listen on, or empty."""
        topic = self.text(key, longest=MAX_TOPIC)
        if self.has(key):
            self._check_topic(key, topic)
            parts = topic.split("/")
            if parts[0] in ("#", "+"):
                raise self.refuse(key, "must not listen to everything")
            if "#" in parts[:-1] or any(len(p) > 1 and ("+" in p or "#" in p) for p in parts):
                raise self.refuse(key, "has a misplaced wildcard")
        return topic

    def publishes(self, key: str) -> str:
        """A topic to publish on, or empty."""
        topic = self.text(key, longest=MAX_TOPIC)
        if self.has(key):
            self._check_topic(key, topic)
            if "+" in topic or "#" in topic:
                raise self.refuse(key, "must not contain wildcards")
            if _DISCOVERY.fullmatch(topic):
                raise self.refuse(key, "must not announce devices")
        return topic

    def _check_topic(self, key: str, topic: str) -> None:
        if not topic:
            raise self.refuse(key, "must not be empty")
        if topic.startswith(_OURS):
            raise self.refuse(key, "must not be a topic of the broker or of our own devices")
        if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in topic):
            raise self.refuse(key, "must not contain control characters")

    def template(self, key: str) -> templates.Template | None:
        """A template, compiled."""
        if not self.has(key):
            return None
        source = self.text(key, longest=16 * 1024)
        try:
            return templates.compiled(source)
        except templates.BadTemplate as exc:
            raise self.refuse(key, f"is no template we run: {exc}") from exc

    def objects(self, key: str) -> list["Fields"]:
        """A list of objects; a single one counts as a list."""
        value = self._config.get(key)
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, dict) for item in items) or len(items) > 16:
            raise self.refuse(key, "must be a list of at most 16 objects")
        return [
            Fields(item, f"{self._path}.{key}[{n}]".lstrip(".")) for n, item in enumerate(items)
        ]
