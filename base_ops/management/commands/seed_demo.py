"""Loads the demo world: fictional tenants, prices, leases, five weeks of bookings, logins."""

from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

import billing.importers
import booking.importers
from base_ops.core import clock, importers
from base_ops.core.actors import SYSTEM
from base_ops.core.faults import BrokenFile
from base_ops.core.models import Space
from base_ops.demo import logins, money
from base_ops.management.files import DATA, read_json, refusal
from booking import present
from booking.models import EquipmentPool
from booking.services import equipment


class Command(BaseCommand):
    """Reads its arguments and hands over; again on the same day changes nothing."""

    help = "Load the demo world, shifted so that it is today. A broken file is refused whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file; by default the demo data that ships with the product."""
        parser.add_argument("file", type=Path, nargs="?", default=DATA / "demo_data.json")

    def handle(self, *, file: Path, **_: Any) -> None:
        """Import everything in one transaction, then stage the shows around now."""
        if not Space.objects.exists():
            raise CommandError("import a base first: manage.py import_base")
        data = read_json(file)
        shift = _shift(file, data)
        try:
            counts = self._load(data, shift)
        except (BrokenFile, billing.importers.DataRefused) as exc:
            raise refusal(file, exc) from exc
        counts["equipment_pools"] = self._keep_equipment()
        counts["shows_now"] = present.stage(now=clock.now())
        counts |= money.stage(now=clock.now())
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))

    def _keep_equipment(self) -> int:
        """What there is to borrow; pools that are there already are left alone."""
        known = set(EquipmentPool.objects.values_list("code", flat=True))
        rows = [r for r in read_json(DATA / "equipment.json")["pools"] if r["code"] not in known]
        homes = {s.code: s for s in Space.objects.filter(code__in={r["home"] for r in rows})}
        for row in rows:
            things = [equipment.Thing(n) for n in range(1, row.pop("count") + 1)]
            plan = equipment.Plan(**row | {"home": homes.get(row["home"]), "things": things})
            equipment.keep_pool(plan=plan, actor=SYSTEM, now=clock.now())
        return len(rows)

    def _load(self, data: dict[str, Any], shift: timedelta) -> dict[str, int]:
        """All of the file in one transaction."""
        with transaction.atomic():
            counts = importers.load_tenants(data, shift=shift)
            logins.create(settings.STATE_DIR)
            billing.importers.load(data)
            now = clock.now()
            return counts | booking.importers.load(data, shift_days=shift.days, now=now)


def _shift(file: Path, data: dict[str, Any]) -> timedelta:
    """From the day that the file was made for to today."""
    try:
        made_for = date.fromisoformat(data["meta"]["generated_for"])
    except (KeyError, TypeError, ValueError) as exc:
        raise CommandError(f"{file}: meta.generated_for: a date is wanted") from exc
    return clock.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date() - made_for
