"""What a periodic job is. Each app lists its own in `<app>/jobs.py`; base_ops/jobs.py runs all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Work that looks for what is due in the database; safe to repeat and to interrupt."""

    name: str
    every_s: float
    run: Callable[[datetime], object]
