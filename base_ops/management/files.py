"""Reads the JSON files that commands import."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from base_ops.core.errors import Invalid
from base_ops.core.faults import BrokenFile

MAX_BYTES = 64 * 1024 * 1024
DATA = Path(__file__).resolve().parent.parent / "data"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        CommandError: no such file, too large, or not a JSON object; says which.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB")
        data = json.loads(path.read_bytes())
    except OSError as exc:
        raise CommandError(f"{path}: cannot be read ({exc.strerror})") from exc
    except (ValueError, RecursionError) as exc:
        raise CommandError(f"{path}: not JSON ({exc})") from exc
    if not isinstance(data, dict):
        raise CommandError(f"{path}: a JSON object is wanted")
    return data


def refusal(path: Path, exc: Invalid) -> CommandError:
    """Every fault of a refused file, one a line."""
    faults = exc.faults if isinstance(exc, BrokenFile) else [f.reason_en for f in exc.fields]
    lines = "\n".join(f"  {fault}" for fault in faults)
    return CommandError(f"{path}: nothing was imported, {len(faults)} faults:\n{lines}")
