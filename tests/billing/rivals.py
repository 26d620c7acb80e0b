"""One process of several that want the same budget, number or run at the same instant.

`python -m tests.billing.rivals reserve|draw|issue ARGUMENT` gets ready, says so, waits for a line
on its standard input, does its part and prints what became of it as JSON. Threads would not do:
the interpreter serialises their arrival.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.billing.data import ROOT, span

TIMEOUT_S = 120
NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


def database_url() -> str:
    """Where the test's own database is."""
    from django.db import connection

    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def start(deed: str, argument: str) -> "subprocess.Popen[str]":
    """Start a rival and wait until it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.billing.rivals", deed, argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", "a rival did not start; see its errors"
    return process


def race(deed: str, arguments: Sequence[str]) -> list[Any]:
    """Let one process per argument do the deed at once; their answers, in order."""
    rivals = [start(deed, argument) for argument in arguments]
    try:
        for rival in rivals:
            assert rival.stdin is not None
            rival.stdin.write("go\n")
            rival.stdin.flush()
        return [json.loads(rival.communicate(timeout=TIMEOUT_S)[0]) for rival in rivals]
    finally:
        for rival in rivals:
            rival.kill()
            rival.communicate()


def reserve(argument: str) -> list[str]:
    """Book jewellery rooms at the pilot's price; each tenant of `argument` in its own thread."""
    with ThreadPoolExecutor() as pool:
        return [outcome for found in pool.map(_reserve, argument.split()) for outcome in found]


def _reserve(argument: str) -> list[str]:
    """Book until refused, on a connection of its own."""
    from base_ops.core import db, errors
    from base_ops.core.models import Space, Tenant
    from billing import services

    tenant = Tenant.objects.get(code=argument)
    space = Space.objects.select_related("type").get(code="RACE")
    outcomes = []
    for day in range(10, 14):
        quote = services.quote(
            tenant=tenant, space=space, span=span(f"11-{day} 10:00", 4), now=NOW
        )
        source = f"booking/{argument}-{day}"

        def work(source: str = source, quote: Any = quote) -> None:
            services.reserve(source=source, tenant=tenant, quote=quote, now=NOW)

        try:
            db.in_transaction(work)
            outcomes.append(f"reserved {quote.discount_fen}")
        except errors.DomainError as exc:
            outcomes.append(exc.code)
    return outcomes


def draw(argument: str) -> list[str]:
    """Draw 30 numbers; every third transaction is rolled back."""
    from django.db import transaction

    from billing.services import numbers

    kept = []
    for turn in range(30):
        with transaction.atomic():
            number = numbers.draw(document="invoice", year=2026)
            transaction.set_rollback(turn % 3 == int(argument))
        if turn % 3 != int(argument):
            kept.append(number)
    return kept


def issue(argument: str) -> int:
    """Carry on with a run, few lines at a time; says so after each batch, to be killed."""
    from billing.services import issuing, runs

    batch = issuing.Batch(documents=3, lines=40)
    made = 0
    while (more := runs.issue_next(run_id=int(argument), now=NOW, batch=batch)) is not None:
        made += more
        print("made some", file=sys.stderr, flush=True)  # noqa: T201
    return made


def allocate(argument: str) -> list[str]:
    """Use payments for a document, 7 fen at a time, until refused; `argument`: number/ids."""
    from base_ops.core import errors
    from base_ops.core.actors import SYSTEM
    from billing.domain.allocating import Part
    from billing.services import paying

    number, _, ids = argument.partition("/")
    outcomes = []
    for turn in range(30):
        payment_id = int(ids.split(",")[turn % 2])
        try:
            paying.allocate(
                payment_id=payment_id, parts=[Part(number, 7)], actor=SYSTEM, now=NOW
            )  # fmt: skip
            outcomes.append("allocated")
        except errors.DomainError as exc:
            outcomes.append(exc.code)
    return outcomes


def post(_: str) -> int:
    """Write issued documents into the books."""
    from billing.services import posting

    return posting.post_documents(NOW)


def red(argument: str) -> list[str]:
    """Take back a tenth of an invoice, five times."""
    from base_ops.core import db, errors
    from base_ops.core.actors import SYSTEM
    from billing.domain.reds import RedDeed, RedReason, Side
    from billing.models import Invoice
    from billing.services import reds

    invoice = Invoice.objects.get(number=argument)
    tenth = {line.position: line.gross_fen // 10 for line in invoice.lines.all()}
    outcomes = []

    def work() -> None:
        letter = reds.start(
            invoice=invoice, side=Side.SELLER, reason=RedReason.ALLOWANCE, wanted=tenth,
            note="", actor=SYSTEM, now=NOW,
        )  # fmt: skip
        reds.decide(letter=letter, deed=RedDeed.CONFIRM, side=Side.BUYER, actor=SYSTEM, now=NOW)
        reds.issue(letter=letter, actor=SYSTEM, now=NOW)

    for _ in range(5):
        try:
            db.in_transaction(work)
            outcomes.append("made")
        except errors.DomainError as exc:
            outcomes.append(exc.code)
    return outcomes


DEEDS: dict[str, Callable[[str], object]] = {
    "reserve": reserve,
    "draw": draw,
    "issue": issue,
    "allocate": allocate,
    "post": post,
    "red": red,
}


def main() -> None:
    """Get ready, wait for the word, do it, say what happened."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    print(json.dumps(DEEDS[sys.argv[1]](sys.argv[2])), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
