"""Every operation of the API, fuzzed by its own description, as every role.

The requests go in process through the whole WSGI application with all its middleware: what the
threads of the web process run, commits included, at some 150 requests a second on one core. The
generator and a web process of its own would only wait for each other; what the server in front
does with bytes, HEAD, bodies and connections is in tests/web.

The cases are schemathesis' and the same in every run; values of the real world are put into them
(grounding.py), learned from the answers (known.py), so that new operations are reached without a
word here. Time is the world's own and moves between the passes.
"""

import copy
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from base_ops.core import clock
from booking import selectors
from devices import directory
from tests.api import judging, world
from tests.api.campaign import ROLES, Campaign, description

pytestmark = pytest.mark.django_db(transaction=True)
SEED = 20260915
REQUESTS = 4500
REACHED = 0.92
CHEAP = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hundreds of people sign in


@dataclass(frozen=True)
class Outcome:
    """What the whole run came to, and what it says of answers that are known to be wrong."""

    faults: list[judging.Fault]
    reached: dict[str, Counter[int]]
    control: dict[str, list[str]]

    def of(self, kind: str) -> str:
        """The first fault of each operation, for the message of a test."""
        found = {fault.operation: fault for fault in self.faults if fault.kind == kind}
        return "\n".join(str(fault) for fault in found.values())


@pytest.fixture(scope="module")
def outcome(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Outcome]:
    moment = world.Moment()
    logging.disable(logging.ERROR)
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(PASSWORD_HASHERS=CHEAP),
        django_db_blocker.unblock(),
    ):
        patch.setattr(clock, "now", moment.now)
        try:
            app = get_wsgi_application()
            run = Campaign(app, world.build(moment), seed=SEED)
            with uncounted(request.config):
                wage(run)
            yield Outcome(run.faults, run.reached, control(app, run.world))
        finally:
            logging.disable(logging.NOTSET)
            call_command("flush", verbosity=0, interactive=False)
            directory.forget()


@contextmanager
def uncounted(config: pytest.Config) -> Iterator[None]:
    """Nothing in it counts for coverage; the marker `no_cover` is only for tests themselves."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    if controller is None:
        yield
        return
    controller.pause()
    try:
        yield
    finally:
        controller.resume()


def wage(run: Campaign) -> None:
    """Fuzz, lead things through their lives, let time pass, and again."""
    each = max(6, REQUESTS // (len(run.operations) * len(ROLES)))
    run.generate(valid=2, invalid=1)
    run.follow(in_order=True)
    world.later(run.world, timedelta(minutes=35))
    run.follow(in_order=False)
    world.later(run.world, timedelta(days=1))
    run.generate(valid=each - each // 3 - 2, invalid=each // 3 - 1)


def control(app: Any, base: world.World) -> dict[str, list[str]]:
    """The kinds of fault found in answers that must be faulted."""
    said = description(app)
    return {
        "its success is not described": _kinds(app, base, _without(said, "get", "/ping", "200")),
        "its refusal is not described": _kinds(app, base, _without(said, "get", "/audit", "403")),
        "its code is not listed": _kinds(app, base, _without_code(said, "forbidden")),
        "it crashes": _crash(app, base),
        "it tells of tenant B": [
            judging.LEAK for _ in judging.leaks("liaison", "GET /", f"…{world.MARK}…")
        ],
    }


def _kinds(app: Any, base: world.World, said: Any) -> list[str]:
    run = Campaign(app, base, seed=SEED, described=said)
    for path in ("/ping", "/audit"):
        operation = next(op for op in run.operations if op.path == f"/api/v1{path}")
        run.send(operation.Case(), "liaison")
    return sorted({fault.kind for fault in run.faults})


def _without(said: dict[str, Any], verb: str, path: str, status: str) -> dict[str, Any]:
    changed = copy.deepcopy(said)
    del changed["paths"][f"/api/v1{path}"][verb]["responses"][status]
    return changed


def _without_code(said: dict[str, Any], code: str) -> dict[str, Any]:
    changed = copy.deepcopy(said)
    del changed["components"]["x-problems"][code]
    return changed


def _crash(app: Any, base: world.World) -> list[str]:
    run = Campaign(app, base, seed=SEED)
    operation = next(op for op in run.operations if op.label == "GET /api/v1/bookings/{code}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selectors, "booking_for", lambda **_: 1 // 0)
        run.send(operation.Case(path_parameters={"code": "B"}), "manager")
    return sorted({fault.kind for fault in run.faults if "ZeroDivisionError" in fault.trace})


def test_no_answer_is_a_server_error(outcome: Outcome) -> None:
    assert not (found := outcome.of(judging.CRASH)), found


def test_every_answer_is_as_described(outcome: Outcome) -> None:
    assert not (found := outcome.of(judging.UNDESCRIBED)), found


def test_every_refusal_is_a_listed_problem_in_both_languages(outcome: Outcome) -> None:
    assert not (found := outcome.of(judging.NO_PROBLEM)), found


def test_no_answer_shows_what_is_another_tenants(outcome: Outcome) -> None:
    assert not (found := outcome.of(judging.LEAK)), found


def test_nearly_all_operations_are_reached_with_success(outcome: Outcome) -> None:
    done = {label: any(200 <= s < 300 for s in seen) for label, seen in outcome.reached.items()}
    for label, seen in sorted(outcome.reached.items()):
        counts = " ".join(f"{status}×{n}" for status, n in sorted(seen.items()))
        sys.stdout.write(f"{'reached' if done[label] else 'REFUSED'} {label}: {counts}\n")
    share = sum(done.values()) / len(done)
    sys.stdout.write(f"reached {share:.1%} of {len(done)} operations\n")

    assert share >= REACHED, f"only {share:.0%}: not {[k for k, v in done.items() if not v]}"


def test_answers_that_are_wrong_are_found(outcome: Outcome) -> None:
    assert outcome.control == {
        "its success is not described": [judging.UNDESCRIBED],
        "its refusal is not described": [judging.UNDESCRIBED],
        "its code is not listed": [judging.NO_PROBLEM],
        "it crashes": [judging.CRASH],
        "it tells of tenant B": [judging.LEAK],
    }
