"""`manage.py run_simulator`: the devices of the base, as software, over real MQTT."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from base_ops.core import clock
from devices.edge.client import parse_address
from devices.simulator import fleet
from devices.simulator.device import SimDevice
from devices.simulator.plan import read_plan

PLAN = Path(settings.BASE_DIR) / "base_ops" / "data" / "wanbo_base.json"


class Command(BaseCommand):
    """Reads its arguments, wires the signals, and hands over."""

    help = "Run the simulated device fleet against the MQTT broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which fleet, how much of it, against which broker."""
        parser.add_argument("--mqtt", default=settings.MQTT_URL, help="mqtt://host:port")
        parser.add_argument("--plan", type=Path, default=PLAN, help="base data file")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the devices, 0-1")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--space", action="append", help="only these spaces")

    def handle(self, *, mqtt: str, plan: Path, scale: float, seed: int, **options: Any) -> None:
        """Run until told to stop."""
        if not mqtt:
            raise CommandError("no broker: set MQTT_URL or give --mqtt mqtt://host:port")
        address, password = parse_address(mqtt)
        specs = read_plan(plan)
        if spaces := options["space"]:
            specs = [spec for spec in specs if spec.space in spaces]
        specs = specs[: max(1, round(len(specs) * scale))]
        setup = fleet.Setup(address=address, password=password, seed=seed)
        self.stdout.write(f"simulator: {len(specs)} devices → {address.host}:{address.port}")
        asyncio.run(_run(fleet.build(specs, seed), setup))


async def _run(devices: list[SimDevice], setup: fleet.Setup) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await fleet.Fleet(devices, setup, clock.now).run(stop)
