"""Serves HTTP and sockets."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

EXIT_S = 0.3


class Command(BaseCommand):
    """Reads its arguments and hands over."""

    help = "Serve the API, the web app and live sockets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0: any free one")

    def handle(self, *, host: str, port: int, **_: Any) -> None:
        """Serve until SIGTERM or SIGINT; gone within three seconds of it.

        Raises:
            CommandError: the address cannot be had.
        """
        from base_ops.core.live.hub import hub
        from base_ops.web.server import Server, leave_within

        server = Server(
            import_string(settings.ASGI_APPLICATION),
            endpoint=build_endpoint_description_strings(host=host, port=port)[0],
            listening=self._say,
        )
        server.ready_callable = lambda: asyncio.get_event_loop().call_soon(hub)
        server.run()
        if server.failed:
            raise CommandError(f"cannot listen on {host}:{port}: {server.failed}")
        leave_within(EXIT_S)

    def _say(self, host: str, port: int) -> None:
        self.stdout.write(f"web: listening on http://{host}:{port}")
        self.stdout.flush()
