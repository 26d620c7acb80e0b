"""`manage.py run_bridge`: carries messages between the broker and the database."""

import logging
import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

import prometheus_client
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from base_ops.core import clock
from devices.bridge.line import parse_address
from devices.bridge.service import Bridge, Setup, Stuck

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Reads its arguments, wires the signals, and hands over."""

    help = "Carry messages between the MQTT broker and the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Allow another broker, several bridges side by side, and a metrics port."""
        parser.add_argument("--mqtt", default=settings.MQTT_URL, help="mqtt://host:port")
        parser.add_argument("--name", default="base-ops-bridge", help="client id, unique")
        parser.add_argument("--group", default="", help="share messages with this group")
        parser.add_argument("--stuck-after", type=float, default=30.0, help="seconds")
        parser.add_argument("--metrics-port", type=int, default=0, help="0 for none")

    def handle(self, *, mqtt: str, name: str, group: str, **options: Any) -> None:
        """Run until told to stop; exit 1 when stuck, so that the supervisor starts us afresh."""
        try:
            setup = Setup(parse_address(mqtt), name, group, options["stuck_after"])
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if port := options["metrics_port"]:
            prometheus_client.start_http_server(port, addr="127.0.0.1")
        try:
            Bridge(setup, clock.now).run(stop)
        except Stuck as exc:
            logger.critical("bridge.stuck", extra={"why": str(exc)})
            sys.exit(1)
