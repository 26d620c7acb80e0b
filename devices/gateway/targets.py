"""Where streams go: a name on MQTT, an address and a key only here. Keys are never logged."""

import asyncio
import fnmatch
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
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

    @property
    def print(self) -> str:
        """By which it is known again, and nothing of it can be read."""
        return hashlib.blake2b(f"{self.url}\0{self.key}".encode(), digest_size=32).hexdigest()


class Targets:
    """Those of the configuration by name or pattern, and those that lie in a folder by name.

    The folder is read at each use: whoever keeps the keys puts one there before a show and takes
    it away after it.
    """

    def __init__(
        self,
        listed: Mapping[str, Target],
        folder: Path | None = None,
        vault: Callable[[str], Target | None] | None = None,
    ) -> None:
        self._listed, self._folder, self._vault = listed, folder, vault

    async def fetch(self, ref: str) -> Target | None:
        """The target of a name, asked of the vault first, where there is one; not kept."""
        if self._vault is not None and (lent := await asyncio.to_thread(self._vault, ref)):
            return lent
        return self.find(ref)

    def find(self, ref: str) -> Target | None:
        """The target of a name; an exact one before a pattern."""
        if self._folder is not None and (found := self._in_folder(ref)):
            return found
        if ref in self._listed:
            return self._listed[ref]
        patterns = (p for p in self._listed if fnmatch.fnmatchcase(ref, p))
        return next((self._listed[p] for p in patterns), None)

    def name_of(
        self, url: str, key: str, last: str | None, print_: str | None = None
    ) -> str | None:
        """The name of what a piece of gear is set to: None for nothing.

        Args:
            url: where it streams to, by its own word.
            key: with which key.
            last: the name that it was set by.
            print_: the print of what it was set to then; the vault's is known by that alone.
        """
        if not url and not key:
            return None
        now = Target(url, key)
        if last is not None and (print_ == now.print or self.find(last) == now):
            return last
        names = (n for n in self._listed if not set("*?[") & set(n))
        return next((n for n in names if self._listed[n] == now), UNKNOWN)

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
