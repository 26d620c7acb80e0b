"""What `./run` can be told, and what the environment tells it."""

import os
import socket
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Options:
    """The command line."""

    host: str
    port: int
    fresh: bool
    yes: bool
    demo: bool
    simulator: bool

    @property
    def address(self) -> str:
        """What a person types into a browser on this machine."""
        shown = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"


def parse(words: Sequence[str]) -> Options:
    """Read the command line; argparse answers what is wrong with it."""
    parser = ArgumentParser(prog="./run", description="Start the whole base; Ctrl-C ends it.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on")
    parser.add_argument("--fresh", action="store_true", help="delete all data first (asks)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="an empty base")
    parser.add_argument("--no-simulator", dest="simulator", action="store_false")
    return Options(**vars(parser.parse_args(words)))


def given() -> Mapping[str, str]:
    """The environment, over the file .env."""
    return {k: v for k, v in dotenv_values(".env").items() if v is not None} | dict(os.environ)


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where the state lives; absolute, as PostgreSQL wants it."""
    return Path(environment.get("BASE_OPS_STATE_DIR") or ".base_ops").resolve()


def allowed_hosts(host: str) -> str:
    """Names under which this machine may be asked for the base, when it listens on `host`."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    if host not in LOOPBACK:
        names += [host, *_own_names()]
    return ",".join(dict.fromkeys(names))


def _own_names() -> list[str]:
    name = socket.gethostname()
    try:
        full, aliases, addresses = socket.gethostbyname_ex(name)
    except OSError:
        return [name]
    return [name, full, *aliases, *addresses]


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port
