"""Sixteen rivals, a process each, who do everything that can be done to a few rooms at once.

`python -m tests.booking.contenders PLAN.json` loads the project once and forks a process per
rival. Each goes through the real views (Django's test client: sign-in, keys, If-Match, problems)
and keeps a log of what it was told, one line of JSON an answer, which the test compares with the
database.

Two rivals always belong to one user; now and then both send the same request with the same key at
about the same time. A share of all other requests is sent twice, with the same key. The clock of
all of them runs ahead, so that holds expire while others want their place.
"""

import itertools
import json
import logging
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.billing.data import ROOT

RIVALS = 16
TWIN_EVERY = 10
API = "/api/v1"
CLOCK_STEP_S, CLOCK_EVERY_S = 60.0, 0.5  # a hold of ten minutes lives five seconds
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Who wants what: `logs` is a directory, `tokens` one per two rivals, `first` the first day.

    `held` tells for each token whether its user makes holds, and waits in line.
    """

    logs: str
    seed: int
    attempts: int
    seconds: float
    spaces: Sequence[str]
    beside: str
    pool: str
    tokens: Sequence[str]
    held: Sequence[bool]
    staff: str
    first: str


def run(plan: Plan, database_url: str) -> list[Answer]:
    """Let the rivals loose, move the clock meanwhile; every answer that anybody got."""
    logs = Path(plan.logs)
    (logs / "plan.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
    ahead = logs / "clock"
    ahead.write_text("0", encoding="ascii")
    env = os.environ | {"DATABASE_URL": database_url, "BASE_OPS_CLOCK_FILE": str(ahead)}
    command = [sys.executable, "-m", "tests.booking.contenders", str(logs / "plan.json")]
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        for n in itertools.count(1):
            if process.poll() is not None:
                break
            time.sleep(CLOCK_EVERY_S)
            _write(ahead, str(CLOCK_STEP_S * n))
    assert process.returncode == 0, f"the rivals ended with {process.returncode}"
    return [
        json.loads(line)
        for log in sorted(logs.glob("rival-*.jsonl"))
        for line in log.read_text(encoding="utf-8").splitlines()
    ]


def _write(path: Path, text: str) -> None:
    """Replace the file at once: nobody reads half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="ascii")
    fresh.rename(path)


def main(path: str) -> None:
    """Load the project, fork the rivals, wait for them."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()
    logging.disable(logging.INFO)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are in the logs of ours
    from tests.booking import mutants

    mutants.apply(os.environ.get(mutants.VARIABLE, ""))
    plan = Plan(**json.loads(Path(path).read_text(encoding="utf-8")))
    _warm_up(plan)
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(RIVALS)
    rivals = [fork.Process(target=_rival, args=(n, plan, start)) for n in range(RIVALS)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    sys.exit(any(rival.exitcode for rival in rivals))


def _warm_up(plan: Plan) -> None:
    """Load what the first request loads, once for all of them, and leave no connection behind."""
    from django.db import connection
    from django.test import Client

    answer = Client(headers={"Authorization": f"Bearer {plan.staff}"}).get(f"{API}/bookings")
    assert answer.status_code == 200, answer.content
    connection.close()


def _rival(number: int, plan: Plan, start: Any) -> None:
    with (Path(plan.logs) / f"rival-{number:02d}.jsonl").open("w", encoding="utf-8") as log:
        rival = Rival(number, plan, lambda answer: log.write(json.dumps(answer) + "\n"))
        start.wait()
        deadline = time.monotonic() + plan.seconds
        for n in range(plan.attempts // RIVALS):
            if time.monotonic() > deadline:
                break
            rival.attempt(n)


class Rival:
    """One client that never rests."""

    def __init__(self, number: int, plan: Plan, tell: Callable[[Answer], Any]) -> None:
        from django.test import Client

        pair = number // 2
        self._number, self._pair, self._plan, self._tell = number, pair, plan, tell
        self._chance = random.Random(f"{plan.seed}-{number}")
        self._staff = pair >= len(plan.tokens)
        token = plan.staff if self._staff else plan.tokens[pair]
        self._held = not self._staff and plan.held[pair]
        self._client = Client(
            headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False
        )
        self._keys = itertools.count(1)
        self._retries = _Retries()
        deeds = _STAFF_DEEDS if self._staff else _TENANT_DEEDS
        self._deeds = [
            getattr(Rival, name) for name, weight in deeds.items() for _ in [0] * weight
        ]

    def attempt(self, n: int) -> None:
        """Do one thing; at times the very same thing as the other rival of the pair."""
        if not self._staff and n % TWIN_EVERY == 0:
            shared = random.Random(f"{self._plan.seed}-pair-{self._pair}-{n}")
            body = self._wish(shared) | {"confirm": True}
            self._send("book", "/bookings", body, key=f"twin-{self._pair:02d}-{n:06d}")
            return
        self._chance.choice(self._deeds)(self)

    def book(self) -> None:
        """Hold, or book at once."""
        hold = self._held and self._chance.random() < 0.6
        self._twice("book", "/bookings", self._wish(self._chance) | {"confirm": not hold})

    def confirm(self) -> None:
        if found := self._some("held"):
            self._twice("confirm", f"/bookings/{found[0]}/confirm", {})

    def cancel(self) -> None:
        if found := self._some("held", "confirmed"):
            self._twice("cancel", f"/bookings/{found[0]}/cancel", {"reason": "rival"})

    def release(self) -> None:
        if found := self._some("confirmed"):
            self._twice("release", f"/bookings/{found[0]}/release", {"reason": "rival"})

    def move(self) -> None:
        """To another time, often to another room, at times with other things beside it."""
        if found := self._some("held", "confirmed"):
            start, _ = self._times(self._chance)
            body: dict[str, Any] = {"starts_at": start.isoformat()}
            if self._chance.random() < 0.6:
                body["space"] = self._chance.choice(self._plan.spaces)
            if self._chance.random() < 0.3:
                body["extras"] = self._extras(self._chance)
            self._twice("move", f"/bookings/{found[0]}/move", body, version=found[1])

    def amend(self) -> None:
        if found := self._some("held", "confirmed"):
            title = f"T{self._chance.randrange(1000)}"
            answer = self._client.patch(
                f"{API}/bookings/{found[0]}", {"title": title}, content_type="application/json",
                headers={"If-Match": f'"{found[1]}"'},
            )  # fmt: skip
            self._note("amend", "", answer)

    def swap(self) -> None:
        one, other = self._some("confirmed"), self._some("confirmed")
        if one and other and one[0] != other[0]:
            self._twice("swap", f"/bookings/{one[0]}/swap", {"other": other[0]})

    def transfer(self) -> None:
        if found := self._some("confirmed"):
            body = {"space": self._chance.choice(self._plan.spaces), "reason": "rival"}
            self._twice("transfer", f"/bookings/{found[0]}/transfer", body)

    def wait(self) -> None:
        wish = self._wish(self._chance) | {"any_of_type": self._chance.random() < 0.3}
        wish.pop("extras")
        if self._held:
            self._twice("wait", "/waitlist", wish)

    def series(self) -> None:
        """Three dates or fewer, as many as are free."""
        wish = self._wish(self._chance) | {"rrule": "FREQ=DAILY;COUNT=3", "mode": "skip"}
        self._twice("series", "/series", wish)

    def sweep(self) -> None:
        """What the job does every minute: tidy up, and offer what is left to who waits."""
        from base_ops.core import clock
        from booking import services

        services.expire_due(now=clock.now())
        note = {"deed": "sweep", "http": 200, "code": "", "key": "", "told": []}
        self._tell(note | {"replayed": False, "retries": self._retries.taken()})

    def _wish(self, chance: random.Random) -> dict[str, Any]:
        start, end = self._times(chance)
        wish: dict[str, Any] = {
            "space": chance.choice(self._plan.spaces),
            "starts_at": start.isoformat(),
            "ends_at": end.isoformat(),
            "extras": self._extras(chance),
        }
        return wish

    def _times(self, chance: random.Random) -> tuple[datetime, datetime]:
        """Half hours of ten hours on each of six days."""
        first = datetime.fromisoformat(self._plan.first)
        start = first + timedelta(days=chance.randrange(6), minutes=30 * chance.randrange(18))
        return start, start + timedelta(minutes=chance.choice((60, 60, 90, 120)))

    def _extras(self, chance: random.Random) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if chance.random() < 0.3:
            found.append({"pool": self._plan.pool, "quantity": chance.choice((1, 2))})
        if chance.random() < 0.2:
            found.append({"space": self._plan.beside})
        return found

    def _some(self, *statuses: str) -> tuple[str, int] | None:
        """A booking that the caller may see and act on, with its version; found without locks."""
        rows = Rival._bookings().filter(status__in=statuses)
        if not self._staff:
            rows = rows.filter(tenant__code=self._tenant())
        found = list(rows.order_by("-pk").values_list("code", "version")[:40])
        return self._chance.choice(found) if found else None

    def _tenant(self) -> str:
        return f"RIVAL{self._pair:02d}"

    @staticmethod
    def _bookings() -> Any:
        from booking.models import Booking

        return Booking.objects

    def _twice(self, deed: str, path: str, body: Any, *, version: int | None = None) -> None:
        """Send a request; one in four is sent again as if its answer had been lost."""
        if self._staff and path in ("/bookings", "/series"):
            body |= {"tenant": f"RIVAL{self._chance.randrange(len(self._plan.tokens)):02d}"}
        key = f"{self._number:02d}-{next(self._keys):08d}"
        for _ in range(2 if self._chance.random() < 0.25 else 1):
            self._send(deed, path, body, key=key, version=version)

    def _send(
        self, deed: str, path: str, body: Any, *, key: str, version: int | None = None
    ) -> None:
        headers = {"Idempotency-Key": key}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = self._client.post(
            API + path, body, content_type="application/json", headers=headers
        )
        self._note(deed, f"{self._pair if key.startswith('twin') else self._number}:{key}", answer)

    def _note(self, deed: str, key: str, answer: Any) -> None:
        """Keep what we were told."""
        body = answer.json()
        good = answer.status_code < 300
        told = _bookings_in(deed, body) if good else []
        note = {"deed": deed, "key": key, "http": answer.status_code, "told": told}
        note |= {"code": "" if good else body["code"], "rival": self._number}
        note |= {"replayed": "Idempotency-Replayed" in answer, "retries": self._retries.taken()}
        if good and deed == "wait":
            note["entry"] = body["code"]
        if answer.status_code >= 500:
            note["detail"] = str(body)
        self._tell(note)


_TENANT_DEEDS = {
    "book": 45, "confirm": 14, "cancel": 11, "move": 14, "amend": 3, "swap": 4, "wait": 5,
    "series": 3,
}  # fmt: skip
_STAFF_DEEDS = {
    "book": 15, "cancel": 10, "release": 10, "move": 20, "swap": 20, "transfer": 15, "sweep": 10,
}  # fmt: skip


def _bookings_in(deed: str, body: Any) -> list[Any]:
    """Code, status, version, room and time of every booking that an answer tells of."""
    if deed == "wait":
        return []
    if deed == "series":
        return [
            [row["booking"], row["status"], 1, row["space"], row["starts_at"], row["ends_at"]]
            for row in body["instances"]
        ]
    rows = [body["one"], body["other"]] if deed == "swap" else [body]
    return [
        [r["code"], r["status"], r["version"], r["space"]["code"], r["starts_at"], r["ends_at"]]
        for r in rows
    ]


class _Retries(logging.Handler):
    """Counts the deadlocks and lock timeouts that the application answered itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._states: list[str] = []
        logger = logging.getLogger("base_ops.core.db")
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self._states.append(getattr(record, "sqlstate", ""))

    def taken(self) -> list[str]:
        """Their codes since the last call."""
        found, self._states = self._states, []
        return found


if __name__ == "__main__":
    main(sys.argv[1])
