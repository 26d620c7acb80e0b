"""The OpenAPI schema as JSON, in one order: the web app's typed client is made from it."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from base_ops.api import api


class Command(BaseCommand):
    """`manage.py export_schema`"""

    help = "Print the OpenAPI schema as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        """To standard output."""
        self.stdout.write(json.dumps(api.get_openapi_schema(), default=str, ensure_ascii=False))
