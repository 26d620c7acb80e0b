"""Prints docs/problems.md: every problem code that the API answers."""

from typing import Any

from django.core.management.base import BaseCommand
from django.urls import get_resolver

from base_ops.core import registry

HEAD = """# Problem codes

Every refusal of the API is `application/problem+json` (RFC 9457) with one of these codes. A code
never changes its meaning: programs decide by it, people read the titles. Made by
`manage.py list_problems > docs/problems.md`.

| Code | Status | 中文 | English | Means |
|---|---|---|---|---|
"""


class Command(BaseCommand):
    """Writes to stdout."""

    help = "Print the table of problem codes, as docs/problems.md has it."

    def handle(self, **_: Any) -> None:
        """Load what answers requests, then print."""
        self.stdout.write(table(), ending="")


def table() -> str:
    """The whole document."""
    _ = get_resolver().url_patterns  # imports every module that answers requests
    rows = (
        f"| `{e.code}` | {int(e.status)} | {e.title_zh} | {e.title_en} | {e.meaning} |\n"
        for e in registry.entries()
    )
    return HEAD + "".join(rows)
