"""Makes a database ready for the other processes: tables, the base, first people."""

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from base_ops.core.models import Role, Space, Tenant, User
from base_ops.demo import logins

ADMIN = "admin@base.invalid"


class Command(BaseCommand):
    """Every step asks what is there first: again changes nothing."""

    help = "Migrate; on an empty database also import the base and make the first logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is chosen here: BASE_OPS_DEMO says whether it is a demo."""

    def handle(self, **_: Any) -> None:
        """Do what is missing, then write the logins to show into the state folder."""
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        if not Space.objects.exists():
            self.stdout.write("importing the base")
            call_command("import_base", stdout=self.stdout)
        if settings.DEMO and not Tenant.objects.exists():
            self.stdout.write("loading the demo world")
            call_command("seed_demo", stdout=self.stdout)
        self._show(self._logins())

    def _logins(self) -> list[tuple[str, str, str]]:
        known = logins.shown(settings.STATE_DIR)
        if User.objects.filter(email=known[0][1]).exists():
            return known
        password = logins.passwords(settings.STATE_DIR)[Role.ADMIN]
        if not User.objects.exists():
            User.objects.create_superuser(ADMIN, password, name="管理员", language="zh")
        return [(str(Role.ADMIN), ADMIN, password)]

    def _show(self, found: list[tuple[str, str, str]]) -> None:
        rows = [{"role": role, "email": mail, "password": word} for role, mail, word in found]
        file = settings.STATE_DIR / "shown.json"
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as out:
            json.dump(rows, out)
