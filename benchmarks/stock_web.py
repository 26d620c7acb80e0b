"""The same project through Django's own ASGI handler under the same daphne: the thing to beat."""

import os
import sys

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")


class Stock(Server):  # type: ignore[misc] # daphne has no types
    """Says where it listens."""

    def listen_success(self, port: object) -> None:
        """Print the address as run_web does."""
        super().listen_success(port)
        host, number = self.listening_addresses[-1]
        sys.stdout.write(f"web: listening on http://{host}:{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    endpoints = build_endpoint_description_strings(host="127.0.0.1", port=0)
    Stock(get_asgi_application(), endpoints=endpoints).run()
