"""`manage.py up`: from a state folder to a running base, and back to nothing."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from base_ops.embedded import broker
from base_ops.embedded.postgres import Cluster, PostgresFailed
from base_ops.supervisor import options as opts
from base_ops.supervisor import services
from base_ops.supervisor.options import Options
from base_ops.supervisor.output import Output
from base_ops.supervisor.state import CannotStart, State, is_free, sentence
from base_ops.supervisor.tree import Stopped, Tree

POSTGRES_READY_S = 120.0
BROKER_READY_S = 60.0
WEB_READY_S = 180.0


def main(words: Sequence[str]) -> int:
    """Run a base until a signal ends it.

    Returns:
        0 after an orderly end, 1 when it could not start.
    """
    options = opts.parse(words)
    given = opts.given()
    state = State(opts.state_folder(given))
    try:
        state.make()
        with state.locked(options.address):
            if options.fresh:
                _start_over(state, options)
            _check_port(options)
            return Up(state, options, given, Output(state.folder / "logs")).run()
    except (CannotStart, PostgresFailed, LookupError) as exc:
        return _refuse(str(exc))
    except OSError as exc:
        return _refuse(sentence(exc, state.folder))


@dataclass(frozen=True)
class Up:
    """One run of a base."""

    state: State
    options: Options
    given: Mapping[str, str]
    output: Output

    def run(self) -> int:
        """Start everything, say where it is, keep it alive until a signal."""
        began = time.monotonic()
        with Tree(self.output).open() as tree:
            try:
                environment = self._start_servers(tree)
                self._prepare(tree, environment)
                self._start_apps(tree, environment)
                self._announce(time.monotonic() - began)
                tree.forever()
            except Stopped:
                self.output.say("stopping")
        self.output.say("stopped")
        return 0

    def _start_servers(self, tree: Tree) -> dict[str, str]:
        """PostgreSQL and the broker, where none are given; returns what the rest must know."""
        mqtt_url, mqtt_port = self.given.get("MQTT_URL", ""), 0
        if not mqtt_url:
            mqtt_port = self.state.port("mqtt")
            mqtt_url = f"mqtt://127.0.0.1:{mqtt_port}"
        cluster = None
        database_url = self.given.get("DATABASE_URL", "")
        if not database_url:
            cluster = Cluster(self.state.folder / "postgres")
            database_url = cluster.url
        environment = self._environment(database_url, mqtt_url)
        _check(environment)
        if mqtt_port:
            tree.add(services.mqtt_broker(self.state.folder / "broker", mqtt_port))
        if cluster:
            self._start_postgres(tree, cluster)
        if mqtt_port and not tree.wait(lambda: broker.answers(mqtt_port), BROKER_READY_S):
            raise CannotStart("The MQTT broker did not start; see broker.log in the logs folder.")
        return environment

    def _start_postgres(self, tree: Tree, cluster: Cluster) -> None:
        if not (cluster.data / "PG_VERSION").exists():
            self.output.say("making a database (once)")
        cluster.prepare()
        cluster.end_left_server()
        server = tree.add(services.postgres(cluster))
        ready = tree.wait(lambda: cluster.is_ready(server.pid), POSTGRES_READY_S)
        if not ready:
            raise CannotStart("PostgreSQL did not start; see postgres.log in the logs folder.")
        cluster.ensure_database()

    def _environment(self, database_url: str, mqtt_url: str) -> dict[str, str]:
        defaults = {
            "BASE_OPS_SECRET_KEY": self.state.secret("secret_key"),
            "BASE_OPS_ALLOWED_HOSTS": opts.allowed_hosts(self.options.host),
        }
        kept = {name: self.given[name] for name in defaults if self.given.get(name)}
        return {
            **defaults,
            **kept,
            "DATABASE_URL": database_url,
            "MQTT_URL": mqtt_url,
            "BASE_OPS_STATE_DIR": str(self.state.folder),
            "BASE_OPS_DEMO": str(int(self.options.demo)),
        }

    def _prepare(self, tree: Tree, environment: Mapping[str, str]) -> None:
        self.output.say("preparing the database")
        command = services.manage("setup", "prepare", environment=environment, once=True)
        if tree.run_once(command):
            raise CannotStart("The database could not be prepared: see the lines above.")

    def _start_apps(self, tree: Tree, environment: Mapping[str, str]) -> None:
        """The web process first and alone: people wait for it, and two cores are soon busy."""
        web = tree.add(services.web(self.options.host, self.options.port, environment))
        healthy = f"{self.options.address}/healthz"
        if not tree.wait(lambda: web.pid is not None and _answers(healthy), WEB_READY_S):
            raise CannotStart("The web process does not answer: see the lines above.")
        for name in services.APPS:
            tree.add(services.manage(name, f"run_{name}", environment=environment))
        if self.given.get("BASE_OPS_GATEWAY_FILE"):
            tree.add(services.manage("gateway", "run_gateway", environment=environment))
        if self.options.simulator:
            tree.add(services.manage("simulator", "run_simulator", environment=environment))

    def _announce(self, took_s: float) -> None:
        say = self.output.plain
        say(f"\n  Base Ops is running: {self.options.address}   (started in {took_s:.1f} s)\n")
        file = self.state.folder / "shown.json"
        for login in json.loads(file.read_text(encoding="utf-8")):
            say(f"  {login['role']:<14} {login['email']:<26} {login['password']}")
        say("\n  Ctrl-C ends it.\n")


def _check(environment: Mapping[str, str]) -> None:
    """Name every bad value of the environment before anything is started."""
    from base_ops import env  # here: pydantic takes a while, and the sentences above need none

    os.environ.update(environment)
    env.read()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _check_port(options: Options) -> None:
    """Raises CannotStart when another program listens there."""
    if not is_free(options.host, options.port):
        raise CannotStart(
            f"Port {options.port} is taken by another program: choose another with "
            f"./run --port {options.port + 1}"
        )


def _start_over(state: State, options: Options) -> None:
    """Delete everything once somebody has agreed to it."""
    if not options.yes:
        _ask(state)
    state.forget()
    state.make()


def _ask(state: State) -> None:
    """Raises CannotStart unless somebody agrees to lose the data."""
    question = f"Delete the database and everything else in {state.folder}? Type yes: "
    if not sys.stdin.isatty():
        raise CannotStart("--fresh deletes all data: add --yes where nobody can be asked.")
    if input(question).strip().lower() != "yes":
        raise CannotStart("Nothing was deleted.")


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201 - for the person at the terminal
    return 1
