"""Where streams go: a name on MQTT, an address and a key only here. Keys are never logged."""

import fnmatch
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

logger = logging.getLogger(__name__)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Target:
    """An RTMP address and its key; the key is not shown when this is printed."""

    url: str
    key: str = field(repr=False)


class Targets:
    """Those of the configuration by name or pattern, and those that lie in a folder by name.

    The folder is read at each use: whoever keeps the keys puts one there before a show and takes
    it away after it.
    """

    def __init__(self, listed: Mapping[str, Target], folder: Path | None = None) -> None:
        self._listed, self._folder = listed, folder

    def find(self, ref: str) -> Target | None:
        """The target of a name; an exact one before a pattern."""
        if self._folder is not None and (found := self._in_folder(ref)):
            return found
        if ref in self._listed:
            return self._listed[ref]
        patterns = (p for p in self._listed if fnmatch.fnmatchcase(ref, p))
        return next((self._listed[p] for p in patterns), None)

    def name_of(self, url: str, key: str, last: str | None) -> str | None:
        """The name of what a piece of gear is set to: None for nothing.

        Args:
            url: where it streams to, by its own word.
            key: with which key.
            last: the name that it was set by.
        """
        if not url and not key:
            return None
        if last is not None and self.find(last) == Target(url, key):
            return last
        names = (n for n in self._listed if not set("*?[") & set(n))
        return next((n for n in names if self._listed[n] == Target(url, key)), UNKNOWN)

    def _in_folder(self, ref: str) -> Target | None:
        assert self._folder is not None
        path = self._folder / f"{quote(ref, safe='')}.json"
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            return Target(str(body["url"]), str(body["key"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as exc:
            # The error's text may hold a part of the file.
            logger.warning(
                "gateway.target_unreadable", extra={"ref": ref, "why": type(exc).__name__}
            )
            return None
