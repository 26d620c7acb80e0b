"""Starts everything."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from base_ops.supervisor.main import main


class Command(BaseCommand):
    """Only for `manage.py help`: manage.py goes straight to the supervisor."""

    help = "Start PostgreSQL, the broker and every process of a base, and keep them alive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Everything is passed on."""
        parser.add_argument("words", nargs="*")

    def handle(self, *, words: list[str], **_: Any) -> None:
        """Hand over."""
        sys.exit(main(words))
