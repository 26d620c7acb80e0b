"""What the gateway must know after a restart: orders carried out, rights seen, when to end.

One small file for each piece of gear, replaced as a whole and synced before an order is answered:
a stream that must end at 22:00 ends then also when the gateway was killed at 21:59.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.edge.orders import Memory

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Page:
    """Of one piece of gear; `until` in ms, 0 for never; `notes` are the driver's."""

    memory: Memory = field(default_factory=Memory)
    until: int = 0
    notes: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """A folder of pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self, code: str) -> Page:
        """The page of a piece of gear; an empty one where there is none or it is spoilt."""
        path = self._path(code)
        try:
            return _page(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Page()
        except (OSError, ValueError, TypeError) as exc:
            logger.warning("gateway.ledger_spoilt", extra={"gear": code, "why": str(exc)[:200]})
            return Page()

    def write(self, code: str, page: Page) -> None:
        """Replace the page; it is on disk when this returns."""
        body = {"memory": page.memory.dump(), "until": page.until, "notes": page.notes}
        path = self._path(code)
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(body, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def _path(self, code: str) -> Path:
        return self._folder / f"{code}.json"


def _page(kept: Mapping[str, Any]) -> Page:
    until, notes = kept["until"], kept["notes"]
    if not isinstance(until, int) or not isinstance(notes, dict):
        raise TypeError("no page of a ledger")
    return Page(Memory.load(kept["memory"]), until, notes)
