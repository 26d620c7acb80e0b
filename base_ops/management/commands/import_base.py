"""Imports a base plan: floors, spaces and their devices."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

import devices.importers
from base_ops.core import clock, importers
from base_ops.core.faults import BrokenFile
from base_ops.management.files import DATA, read_json, refusal


class Command(BaseCommand):
    """Reads its arguments and hands over; again with the same file changes nothing."""

    help = "Import a base plan (floors, spaces, devices). A broken file is refused whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file; by default the illustrative base that ships with the product."""
        parser.add_argument("file", type=Path, nargs="?", default=DATA / "wanbo_base.json")

    def handle(self, *, file: Path, **_: Any) -> None:
        """Import the file, or refuse it with every fault listed."""
        data = read_json(file)
        try:
            counts = self._load(data)
        except BrokenFile as exc:
            raise refusal(file, exc) from exc
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))

    def _load(self, data: dict[str, Any]) -> dict[str, int]:
        """Spaces and devices in one transaction; the faults of both are told at once."""
        with transaction.atomic():
            try:
                counts = importers.load_base(data)
            except BrokenFile as exc:
                raise BrokenFile([*exc.faults, *devices.importers.faults_of(data)]) from exc
            return counts | devices.importers.load(data, now=clock.now())
