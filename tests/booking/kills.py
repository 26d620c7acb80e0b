"""A process that does one deed and is killed before its n-th statement, or after the commit.

Forked from the test, so that nothing is loaded again; the child never returns.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from django.db import connection, connections, transaction

from base_ops.core import db


def before_statement(number: int, deed: Callable[[], object]) -> bool:
    """Let a child do the deed and be killed before that statement; False when it had fewer."""
    seen = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    def counted() -> None:
        with connection.execute_wrapper(count):
            deed()

    return _killed(counted)


def after_commit(deed: Callable[[], object]) -> bool:
    """Let a child do the deed and be killed when it is committed, before anybody is told."""
    in_transaction = db.in_transaction

    def and_die(work: Callable[[], Any]) -> Any:
        if connection.in_atomic_block:
            return in_transaction(work)

        def watched() -> Any:
            transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
            return work()

        return in_transaction(watched)

    def deed_and_die() -> None:
        db.in_transaction = and_die
        deed()

    return _killed(deed_and_die)


def _killed(work: Callable[[], None]) -> bool:
    """Whether a forked child that does the work was killed; a failure is raised here."""
    connections.close_all()  # two processes must not share one
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - it must not run the rest of the tests
            os._exit(9)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the deed itself failed"
    return os.WIFSIGNALED(status)
