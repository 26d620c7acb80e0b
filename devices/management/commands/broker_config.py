"""`manage.py broker_config`: mosquitto's configuration, accounts, access list and certificate.

write FOLDER            write everything once
watch FOLDER            write, then again within a second of each change; the broker reloads
issue NAME              a new password for a program, ours or another's, shown once
revoke NAME             end an account
"""

import logging
import os
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection

from base_ops.core import clock, errors
from base_ops.core.actors import SYSTEM
from devices.broker import certificates, files
from devices.domain.accounts import Kind, Listening
from devices.services import accounts

logger = logging.getLogger(__name__)
LOOK_S = 2.0  # without a notification, so that a lost one costs little


class Command(BaseCommand):
    """Reads its arguments and hands over."""

    help = "Write mosquitto's configuration, accounts, access list and certificate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One deed each; see the module."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        for name in ("write", "watch"):
            deed = deeds.add_parser(name)
            deed.add_argument("folder", type=Path)
            deed.add_argument("--data", type=Path, help="the broker's own folder")
            deed.add_argument("--seen-as", default="", help="the folder's path for the broker")
            deed.add_argument("--bind", default="127.0.0.1")
            deed.add_argument("--port", type=int, default=1883, help="0: nothing in clear")
            deed.add_argument("--tls-port", type=int, default=0, help="0: no TLS")
            deed.add_argument("--host", default="localhost", help="the certificate's name")
            deed.add_argument("--user", default="", help="the account the broker becomes")
            deed.add_argument(
                "--program", action="append", default=[], metavar="NAME:VARIABLE",
                help="one of our programs, with its password from the environment",
            )  # fmt: skip
            deed.add_argument(
                "--fleet", default="", metavar="VARIABLE",
                help="the password of all devices without one, for a simulated fleet",
            )  # fmt: skip
        deed = deeds.add_parser("issue")
        deed.add_argument("name")
        deed.add_argument("--writes", action="append", default=[], metavar="TOPIC")
        deed.add_argument("--reads", action="append", default=[], metavar="TOPIC")
        deed.add_argument("--base", action="store_true", help="ours: may say and hear everything")
        deeds.add_parser("revoke").add_argument("name")

    def handle(self, *, deed: str, **options: Any) -> None:
        """Do it; what cannot be done is said in one line."""
        try:
            match deed:
                case "issue":
                    self._issue(options)
                case "revoke":
                    accounts.revoke(name=options["name"], actor=SYSTEM, now=clock.now())
                case _:
                    self._write(options)
                    if deed == "watch":
                        _watch(options["folder"], _data(options))
        except errors.DomainError as exc:
            raise CommandError(f"{exc.code}: {exc.detail}") from exc

    def _issue(self, options: dict[str, Any]) -> None:
        secret = accounts.issue_for_program(
            name=options["name"],
            kind=Kind.BASE if options["base"] else Kind.FOREIGN,
            writes=options["writes"],
            reads=options["reads"],
            actor=SYSTEM,
            now=clock.now(),
        )
        self.stdout.write(secret)

    def _write(self, options: dict[str, Any]) -> None:
        folder: Path = options["folder"]
        for pair in options["program"]:
            _set_program(pair)
        if password := os.environ.get(options["fleet"], ""):
            accounts.issue_for_fleet(password=password, now=clock.now())
        if options["tls_port"] and certificates.ensure(folder, options["host"], clock.now()):
            self.stdout.write(f"made a certificate for {options['host']}; devices trust ca.crt")
        files.write_broker(folder, _listening(options))
        files.write_accounts(folder)
        files.reload(_data(options) / "mosquitto.pid")


def _set_program(pair: str) -> None:
    name, _, variable = pair.partition(":")
    if not (password := os.environ.get(variable, "")):
        raise CommandError(f"--program {pair}: {variable or 'the variable'} is not set")
    accounts.issue_for_program(
        name=name, kind=Kind.BASE, password=password, actor=SYSTEM, now=clock.now()
    )


def _data(options: dict[str, Any]) -> Path:
    folder: Path = options["data"] or options["folder"]
    return folder


def _listening(options: dict[str, Any]) -> Listening:
    folder = options["seen_as"] or str(options["folder"].resolve())
    return Listening(
        folder=folder,
        data=options["seen_as"] or str(_data(options).resolve()),
        bind=options["bind"],
        port=options["port"],
        tls_port=options["tls_port"],
        user=options["user"],
    )


def _watch(folder: Path, data: Path) -> None:
    """Write whenever something was announced, and every two seconds in any case."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    owed = False  # a broker that has just begun may have read the old files: it is told again
    while not stop.is_set():
        try:
            with _listener() as listener:
                while not stop.is_set():
                    changed = files.write_accounts(folder)
                    if changed or owed:
                        owed = not files.reload(data / "mosquitto.pid")
                    if changed:
                        logger.info("broker.accounts_written", extra={"reloaded": not owed})
                    for _ in listener.notifies(timeout=LOOK_S, stop_after=1):
                        pass
        except (Error, psycopg.Error) as exc:
            logger.warning("broker.no_database", extra={"why": str(exc)[:200]})
            connection.close()
            stop.wait(1.0)


def _listener() -> psycopg.Connection[Any]:
    """A connection of its own that hears of changes."""
    listener = psycopg.connect(**connection.get_connection_params(), autocommit=True)
    listener.execute(f"LISTEN {accounts.CHANNEL}")
    return listener
