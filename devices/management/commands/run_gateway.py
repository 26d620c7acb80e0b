"""`manage.py run_gateway`: gear that speaks no MQTT, as devices of ours."""

import asyncio
import logging
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections, connection

from base_ops.core import clock
from devices.edge.client import parse_address
from devices.gateway import config
from devices.gateway.service import Gateway, Setup
from devices.gateway.targets import Target
from devices.services import vault

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Reads its arguments, wires the signals, and hands over."""

    help = "Carry orders from the MQTT broker to cameras, encoders and dimmers, and back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which gear, against which broker; or only look at the file."""
        parser.add_argument("--mqtt", default=settings.MQTT_URL, help="mqtt://host:port")
        parser.add_argument(
            "--config", default=settings.GATEWAY_FILE, help="gateway.toml (BASE_OPS_GATEWAY_FILE)"
        )
        parser.add_argument("--check", action="store_true", help="only say whether it is valid")

    def handle(self, *, mqtt: str, check: bool, **options: Any) -> None:
        """Run until told to stop."""
        if not options["config"]:
            raise CommandError("which gear: set BASE_OPS_GATEWAY_FILE or give --config FILE")
        try:
            wanted = config.read(Path(options["config"]))
        except config.BadConfig as exc:
            raise CommandError(f"The gateway's configuration is not usable:\n{exc}") from None
        if check:
            self.stdout.write(f"gateway: {len(wanted.gear)} pieces of gear, valid")
            return
        if not mqtt:
            raise CommandError("no broker: set MQTT_URL or give --mqtt mqtt://host:port")
        address, password = parse_address(mqtt)
        folder = Path(settings.STATE_DIR) / "gateway"
        self.stdout.write(f"gateway: {len(wanted.gear)} pieces of gear → {address.host}")
        asyncio.run(_run(wanted, Setup(address, folder, password, _of_vault)))


def _of_vault(ref: str) -> Target | None:
    """Asked in a thread, when an encoder is aimed; without a database there is no such target."""
    try:
        close_old_connections()
        found = vault.opened(ref, now=clock.now())
    except Error as exc:
        extra = {"ref": ref, "why": type(exc).__name__}
        logger.warning("gateway.vault_silent", extra=extra)
        return None
    finally:
        connection.close()
    return Target(found.url, found.key) if found else None


async def _run(wanted: config.Config, setup: Setup) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Gateway(wanted, setup, clock.now).run(stop)
