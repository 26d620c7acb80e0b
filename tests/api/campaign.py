"""Sends generated requests as every role, judges every answer, remembers what was reached."""

import itertools
import json
import random
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import schemathesis
from django.core.signals import got_request_exception
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.generation.feedback import FeedbackSources
from werkzeug import Client

from base_ops.core.models import Role
from tests.api import judging
from tests.api.grounding import Given, Ground
from tests.api.judging import Case
from tests.api.known import Known, fitting, identifiers, parameters
from tests.api.world import World

DESCRIPTION = "/api/v1/openapi.json"
CSRF = "f" * 32
ROLES = [role.value for role in Role]
LARGE = 400_000
ATTEMPTS = 8
# The life of a thing, as far as its deeds' names tell; what ends it comes last.
EARLY = ("quote", "check-in-code", "confirm", "approve", "issue", "check-in", "move", "swap")
LATE = ("check-out", "leave", "reject", "decline", "withdraw", "revoke", "release", "cancel")


class Campaign:
    """All requests of one run, and what came of them."""

    def __init__(self, app: Any, world: World, *, seed: int, described: Any = None) -> None:
        described = described or description(app)
        self.world = world
        self.codes = set(described["components"]["x-problems"])
        self.schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described)))
        self.schema.app = finishing(app)
        found: list[Any] = [each.ok() for each in self.schema.get_all_operations()]  # type: ignore[union-attr] # the description has no errors
        self.operations = sorted(found, key=_readers_first)
        self.dice = random.Random(seed)
        self.known = Known(self.dice)
        self.ground = Ground(world, self.known, self.dice, described)
        self.faults: list[judging.Fault] = []
        self.reached: dict[str, Counter[int]] = {op.label: Counter() for op in self.operations}
        self._valid: dict[str, Iterator[Case]] = {}
        self._trace = ""
        got_request_exception.connect(self._crashed)

    @property
    def sent(self) -> int:
        """How many requests were judged."""
        return sum(answers.total() for answers in self.reached.values())

    def generate(self, *, valid: int, invalid: int) -> None:
        """So many cases that keep to the schema and so many that do not, as every role each."""
        wanted = ((GenerationMode.POSITIVE, valid), (GenerationMode.NEGATIVE, invalid))
        for operation, (mode, most) in itertools.product(self.operations, wanted):
            for n, case in enumerate(cases(operation, mode, most)):
                turn = n % len(ROLES)
                for role in ROLES[turn:] + ROLES[:turn]:
                    self.send(copied(case), role, valid=mode is GenerationMode.POSITIVE)

    def follow(self, *, in_order: bool) -> None:
        """Make each thing there can be, as each role that may, and lead it through its life."""
        for maker in self.operations:
            below = [op for op in self.operations if op.path.startswith(maker.path + "/{")]
            if maker.method.upper() == "POST" and below:
                for role in ROLES:
                    order = sorted(below, key=_in_life) if in_order else self._shuffled(below)
                    self._lead(maker, order, role)

    def _lead(self, maker: Any, below: list[Any], role: str) -> None:
        row: dict[str, Any] = {}
        for _ in range(ATTEMPTS):
            answer = self.send(self._case(maker), role, Given(at_once=True))
            if answer.status_code == 403:
                return
            if answer.status_code < 300:
                row = json.loads(answer.content)
                break
        for operation in below if identifiers(row) else ():
            name = parameters(operation.path[len(maker.path) :])[0]
            about = Given({name: fitting(identifiers(row), name)}, row, at_once=True)
            row |= self._by_whoever_may(operation, role, about)

    def _by_whoever_may(self, operation: Any, role: str, about: Given) -> dict[str, Any]:
        """Try as this role, then as the others; what the first success tells."""
        for who in [role, *(r for r in ROLES if r != role)]:
            answer = self.send(self._case(operation), who, about)
            if answer.status_code < 300 and answer.content.startswith(b"{"):
                told: dict[str, Any] = json.loads(answer.content)
                return told
            if answer.status_code != 403:
                break
        return {}

    def send(
        self, case: Case, role: str, about: Given | None = None, *, valid: bool = True
    ) -> Any:
        """One request with real values put in; the answer."""
        self.ground.case(case, about or Given(), valid=valid)
        if case.method in {"PATCH", "PUT"} and self.dice.random() < 0.85:
            self._match(case, role)
        answer = self._call(case, role)
        if answer.status_code == 412 and self.dice.random() < 0.7:
            _with_header(case, "If-Match", json.loads(answer.content)["current"])
            answer = self._call(case, role)
        self.reached[case.operation.label][answer.status_code] += 1
        found = judging.faults(case, role, answer, codes=self.codes)
        self.faults += (replace(f, trace=self._trace) for f in found)
        if 200 <= answer.status_code < 300 and len(answer.content) < LARGE:
            self.known.learn(case.path, answer.content)
        return answer

    def _call(self, case: Case, role: str) -> Any:
        """As somebody of this role, whose token a request before may have ended."""
        answer = self._try(case, self.world.token(role))
        if answer.status_code != 401 or case.path.endswith("/session"):
            return answer
        return self._try(case, self.world.token(role, fresh=True))

    def _try(self, case: Case, token: str) -> Any:
        self._trace = ""
        headers = {"Authorization": f"Bearer {token}", "X-CSRFToken": CSRF}
        return case.call(headers=headers, cookies={"csrftoken": CSRF})

    def _crashed(self, **_: Any) -> None:
        """Keep what the answer must not tell."""
        self._trace = traceback.format_exc(limit=-8)

    def _match(self, case: Case, role: str) -> None:
        """Send the ETag that a reader of the same thing is given."""
        same = (op for op in self.operations if op.path == case.path)
        reader = next((op for op in same if op.method.upper() == "GET"), None)
        if reader is None:
            _with_header(case, "If-Match", '"0"')
            return
        answer = self._call(reader.Case(path_parameters=dict(case.path_parameters or {})), role)
        if found := answer.headers.get("etag"):
            _with_header(case, "If-Match", found[0])

    def _case(self, operation: Any) -> Case:
        """The next of the operation's cases that keep to the schema."""
        if operation.label not in self._valid:
            found = cases(operation, GenerationMode.POSITIVE, 12)
            self._valid[operation.label] = itertools.cycle(found)
        return copied(next(self._valid[operation.label]))

    def _shuffled(self, operations: list[Any]) -> list[Any]:
        return self.dice.sample(operations, len(operations))


def finishing(app: Any) -> Any:
    """`app` as a server runs it: every answer is read to its end and closed."""

    def served(environ: dict[str, Any], start: Any) -> list[bytes]:
        chunks = app(environ, start)
        try:
            return [b"".join(chunks)]
        finally:
            if close := getattr(chunks, "close", None):
                close()

    return served


def description(app: Any) -> dict[str, Any]:
    """What the API says of itself."""
    found: dict[str, Any] = json.loads(Client(app).get(DESCRIPTION).get_data())
    return found


def cases(operation: Any, mode: GenerationMode, most: int) -> list[Case]:
    """The same cases in every run; none where nothing of that kind can be made."""
    found: list[Case] = []
    if most < 1 or (mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation)):
        return found

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, feedback=FeedbackSources()))
    def collect(case: Case) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:
        return found
    return found


def _can_be_wrong(operation: Any) -> bool:
    """Whether anything of the request has a type that a text may miss."""
    typed = (p for p in operation.path_parameters if p.definition["schema"]["type"] != "string")
    return bool(operation.body or operation.query or operation.headers or any(typed))


def copied(case: Case) -> Case:
    """The same case once more, to be changed."""
    made: Case = case.operation.Case(
        path_parameters=dict(case.path_parameters or {}),
        headers=dict(case.headers or {}),
        query=dict(case.query or {}),
        body=case.body,
        media_type=case.media_type,
    )
    return made


def _with_header(case: Case, name: str, value: str) -> None:
    headers = {**dict(case.headers or {}), name: value}
    case.headers = headers  # type: ignore[assignment] # it makes its own mapping of it


def _readers_first(operation: Any) -> tuple[int, int, str]:
    verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    verb = verbs.index(operation.method.upper())
    return (0 if verb == 0 else 1, operation.path.count("{") + verb, operation.label)


def _in_life(operation: Any) -> tuple[int, int, str]:
    word = operation.path.rpartition("/")[2]
    verb = operation.method.upper()
    if verb == "DELETE" or word in LATE:
        return (4, LATE.index(word) if word in LATE else len(LATE), word)
    if word in EARLY:
        return (2, EARLY.index(word), word)
    return ({"GET": 0, "PATCH": 1, "PUT": 1}.get(verb, 3), 0, word)
